"""The sample networks: small, classic, and each with one thing to teach about pruning.

Every factory builds an untrained network; `sample_models.load` adds the trained weights.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class LeNet300(nn.Module):
    """LeNet-300-100: three linear layers (LeCun 1998; the baseline of Han 2015, arXiv 1506.02626)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class LeNet5(nn.Module):
    """The Caffe LeNet-5 of Han 2015 (arXiv 1506.02626): 20-50-500, unpadded 28×28, 430,500 weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(800, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut without parameters.

    Option A of He 2015 (arXiv 1512.03385): where the map shrinks, the shortcut takes every
    second pixel and fills the new channels with zeros, half before and half after.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride = stride
        before, after = (channels - channels_in) // 2, (channels - channels_in + 1) // 2
        self.pad = nn.ConstantPad3d((0, 0, 0, 0, before, after), 0.0) if before + after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        shortcut = self.pad(x[:, :, :: self.stride, :: self.stride])
        return F.relu(self.bn2(self.conv2(out)) + shortcut)


class SmallResNet(nn.Module):
    """A CIFAR-style ResNet (He 2015, arXiv 1512.03385, section 4.2): a stem and three stages of basic blocks."""

    def __init__(self, blocks: int, widths: tuple[int, int, int], channels_in: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.layer1 = self._stage(widths[0], widths[0], blocks, 1)
        self.layer2 = self._stage(widths[0], widths[1], blocks, 2)
        self.layer3 = self._stage(widths[1], widths[2], blocks, 2)
        self.fc = nn.Linear(widths[2], 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    @staticmethod
    def _stage(channels_in: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
        first = BasicBlock(channels_in, channels, stride)
        return nn.Sequential(first, *(BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class VGGSmall(nn.Module):
    """VGG-style: seven 3×3 convolutions with BN, three poolings, global average, one linear layer."""

    PLAN = (32, 32, "M", 64, 64, "M", 192, 192, "M", 256)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for item in self.PLAN:
            if isinstance(item, int):
                layers += [nn.Conv2d(channels, item, 3, 1, 1, bias=False), nn.BatchNorm2d(item), nn.ReLU()]
                channels = item
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))


def mini_resnet() -> SmallResNet:
    """A residual network of about 20 K weights: small enough that pruning hurts early."""
    return SmallResNet(1, (10, 20, 28), 1)


def resnet20() -> SmallResNet:
    """He's ResNet-20 for CIFAR: 3 × 3 basic blocks of 16, 32, 64 channels."""
    return SmallResNet(3, (16, 32, 64), 3)
