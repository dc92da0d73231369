// What a plan costs: the arithmetic of pruning/cost/table.py, for every input event.

/** Parameters, MACs, and MACs of each layer, when group number g keeps kept[g] units. */
function costsOf(table, kept) {
  const shapes = table.tensors.map((tensor) => tensor.dims.map((_, dim) => lengthOf(tensor, dim, kept)));
  const product = (lengths) => lengths.reduce((all, length) => all * length, 1);
  const sizes = shapes.map(product);
  const part = (size, [over, under]) => Math.floor((size * over) / under);
  const layers = table.layers.map((layer) => part(sizes[layer.tensor], layer.macs));
  let macs = layers.reduce((sum, count) => sum + count, 0);
  for (const entry of table.products) {
    macs += part(product(entry.dims.map(([tensor, dim]) => shapes[tensor][dim])), entry.macs);
  }
  const params = table.tensors.reduce((sum, tensor, i) => (tensor.parameter ? sum + sizes[i] : sum), 0);
  return { params, macs, layers };
}

/** How long one dimension of a tensor is then. */
function lengthOf(tensor, dim, kept) {
  const [still, parts] = tensor.dims[dim];
  return parts.reduce((sum, [group, positions]) => sum + kept[group] * positions, still);
}

/** MACs of the layers that the channels of a group run through. */
function groupMacs(table, group, layers) {
  return table.groups[group].layers.reduce((sum, layer) => sum + layers[layer], 0);
}
