"""What pages share: state, cached loaders, the header, and small pieces of HTML."""
