"""Networks as people write them in PyTorch, small, and the lines of this file that make each of their layers."""

# ruff: noqa: N806
# mypy: ignore-errors

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any


def networks(torch: Any) -> dict[str, tuple[Any, Any]]:
    """Each network with an input of a batch of 2."""
    nn, F = torch.nn, torch.nn.functional

    class DoubleConv(nn.Module):
        def __init__(self, c_in, c_out):
            super().__init__()
            self.names = {"c_in": c_in, "c_out": c_out}
            self.net = nn.Sequential(
                nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(inplace=True),
                nn.Conv2d(c_out, c_out, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(inplace=True),
            )

        def forward(self, x):
            return self.net(x)

    class UNet(nn.Module):
        def __init__(self, c=2):
            super().__init__()
            self.names = {"c": c}
            self.inc = DoubleConv(2, c)
            self.pool = nn.MaxPool2d(2)
            self.down = DoubleConv(c, 2 * c)
            self.bottom = DoubleConv(2 * c, 4 * c)
            self.up1 = nn.ConvTranspose2d(4 * c, 4 * c // 2, kernel_size=2, stride=2)
            self.conv1 = DoubleConv(4 * c, 2 * c)
            self.up2 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv2 = DoubleConv(3 * c, c)
            self.out = nn.Conv2d(c, 1, kernel_size=1)

        def forward(self, x):
            a = self.inc(x)
            b = self.down(self.pool(a))
            x = self.bottom(self.pool(b))
            x = self.up1(x)
            x = F.pad(x, (0, b.shape[3] - x.shape[3], 0, b.shape[2] - x.shape[2]))
            x = self.up2(self.conv1(torch.cat([b, x], 1)))
            return self.out(self.conv2(torch.cat([a, x], 1)))

    class Generator(nn.Module):  # of a DCGAN
        def __init__(self, nz=6, ngf=2, nc=2):
            super().__init__()
            self.names = {"nz": nz, "ngf": ngf, "nc": nc}
            self.main = nn.Sequential(
                nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False),
                nn.BatchNorm2d(ngf * 4),
                nn.ReLU(True),
                # state size. (ngf*4) x 4 x 4
                nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(ngf * 2),
                nn.ReLU(True),
                nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
                nn.Tanh(),
            )

        def forward(self, z):
            return self.main(z)

    class Stem(nn.Module):  # of a ResNet, and its first block that halves the picture
        def __init__(self, inplanes=4, planes=6, stride=2):
            super().__init__()
            self.names = {"inplanes": inplanes, "planes": planes, "stride": stride}
            self.conv1 = nn.Conv2d(3, inplanes, kernel_size=7, stride=2, padding=3, bias=False)
            self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
            self.conv2 = nn.Conv2d(inplanes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
            self.conv3 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(planes)
            )
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))

        def forward(self, x):
            x = self.maxpool(F.relu(self.conv1(x)))
            x = F.relu(self.conv3(F.relu(self.conv2(x))) + self.downsample(x))
            return self.avgpool(x)

    class WaveNetBlock(nn.Module):
        def __init__(self, channels=3, kernel_size=2, i=2):
            super().__init__()
            self.names = {"channels": channels, "kernel_size": kernel_size, "i": i}
            self.pad = nn.ConstantPad1d(((kernel_size - 1) * 2**i, 0), 0.0)
            self.filter = nn.Conv1d(channels, channels, kernel_size, dilation=2**i)
            self.gate = nn.Conv1d(channels, channels, kernel_size, dilation=2**i)
            self.residual = nn.Conv1d(channels, channels, kernel_size=1)
            self.skip = nn.Conv1d(in_channels=channels, out_channels=2 * channels, kernel_size=1)

        def forward(self, x):
            padded = self.pad(x)
            z = torch.tanh(self.filter(padded)) * torch.sigmoid(self.gate(padded))
            return x + self.residual(z), self.skip(z)

    class InvertedResidual(nn.Module):  # of a MobileNet
        def __init__(self, inp=3, hidden_dim=6, oup=4, stride=2):
            super().__init__()
            self.names = {"inp": inp, "hidden_dim": hidden_dim, "oup": oup, "stride": stride}
            self.conv = nn.Sequential(
                nn.Conv2d(inp, hidden_dim, 1, 1, 0, bias=False),
                nn.BatchNorm2d(hidden_dim),
                nn.ReLU6(inplace=True),
                nn.Conv2d(hidden_dim, hidden_dim, 3, stride, 1, groups=hidden_dim, bias=False),
                nn.BatchNorm2d(hidden_dim),
                nn.ReLU6(inplace=True),
                nn.Conv2d(hidden_dim, oup, 1, 1, 0, bias=False),
                nn.BatchNorm2d(oup),
            )
            self.pool = nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)

        def forward(self, x):
            return self.pool(self.conv(x))

    class ESPCN(nn.Module):
        def __init__(self, upscale_factor=2):
            super().__init__()
            self.names = {"upscale_factor": upscale_factor}
            self.conv1 = nn.Conv2d(1, 4, (5, 5), (1, 1), (2, 2))
            self.conv2 = nn.Conv2d(4, 3, (3, 3), (1, 1), (1, 1))
            self.conv3 = nn.Conv2d(3, 1 * (upscale_factor**2), (3, 3), padding="same", padding_mode="replicate")
            self.pixel_shuffle = nn.PixelShuffle(upscale_factor)

        def forward(self, x):
            return self.pixel_shuffle(self.conv3(torch.tanh(self.conv2(torch.tanh(self.conv1(x))))))

    torch.manual_seed(0)
    shapes = {
        UNet: (2, 12, 16),
        Generator: (6, 1, 1),
        Stem: (3, 21, 24),
        WaveNetBlock: (3, 17),
        InvertedResidual: (3, 11, 10),
        ESPCN: (1, 8, 9),
    }
    return {kind.__name__: (kind().eval(), torch.randn(2, *shape)) for kind, shape in shapes.items()}


def lines_of_layers() -> dict[tuple[str, str], str]:
    """The code of each layer, by the name of its class and its own in it."""
    text = Path(__file__).read_text("utf-8")
    found = {}
    for kind in ast.walk(ast.parse(text)):
        for node in ast.walk(kind) if isinstance(kind, ast.ClassDef) else ():
            match node:
                case ast.Assign([ast.Attribute(_, name)], ast.Call(ast.Attribute(ast.Name("nn"), "Sequential"), parts)):
                    for i, part in enumerate(parts):
                        found[kind.name, f"{name}.{i}"] = ast.get_source_segment(text, part)
                case ast.Assign([ast.Attribute(_, name)], ast.Call(ast.Attribute(ast.Name("nn")))):
                    found[kind.name, name] = ast.get_source_segment(text, node)
    return found
