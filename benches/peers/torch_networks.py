"""The networks of the comparison in PyTorch, with a linear head, and the file that both sides read.

The file holds weights, films and targets as roentgen's `bench --like` takes them: the backbone under the
names of its reference, `head.weight`, `head.bias`, `films` and `targets`. All are random and none is zero.
"""

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

FINDINGS = 14
# Channels out and step of each pair, table 1 of the paper.
PAIRS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
PAIRS += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]


class MobileNet(nn.Module):
    """MobileNetV1 with the padding, epsilon and names of Keras'."""

    def __init__(self):
        super().__init__()
        self.order = []

        def layer(name, channels, kernel, stride, groups=1):
            padding = 0 if stride == 2 else kernel // 2
            conv = nn.Conv2d(*channels, kernel, stride, padding, groups=groups, bias=False)
            self.add_module(name, conv)
            self.add_module(f"{name}_bn", nn.BatchNorm2d(channels[1], eps=1e-3))
            self.order.append((name, stride))

        layer("conv1", (3, 32), 3, 2)
        channels = 32
        for number, (out, stride) in enumerate(PAIRS, 1):
            layer(f"conv_dw_{number}", (channels, channels), 3, stride, channels)
            layer(f"conv_pw_{number}", (channels, out), 1, 1)
            channels = out
        self.pad = nn.ZeroPad2d((0, 1, 0, 1))
        self.activation = nn.ReLU6(inplace=True)

    def forward(self, x):
        for name, stride in self.order:
            x = self.pad(x) if stride == 2 else x
            x = self.activation(getattr(self, f"{name}_bn")(getattr(self, name)(x)))
        return x


class Backbone(nn.Module):
    """The part of a torchvision network before its classifier."""

    def __init__(self, model, features):
        super().__init__()
        self.model, self.features = model, features

    def forward(self, x):
        return self.features(self.model, x)


def backbone(architecture):
    models = torchvision.models
    last_relu = lambda m, x: m.features(x).relu()
    features = lambda m, x: m.features(x)

    def resnet(m, x):
        x = m.maxpool(m.relu(m.bn1(m.conv1(x))))
        return m.layer4(m.layer3(m.layer2(m.layer1(x))))

    return {
        "mobilenet": lambda: MobileNet(),
        "mobilenet-v2": lambda: Backbone(models.mobilenet_v2(), features),
        "vgg16": lambda: Backbone(models.vgg16(), features),
        "vgg19": lambda: Backbone(models.vgg19(), features),
        "resnet50": lambda: Backbone(models.resnet50(), resnet),
        "densenet121": lambda: Backbone(models.densenet121(), last_relu),
        "efficientnet-b0": lambda: Backbone(
            models.efficientnet_b0(stochastic_depth_prob=0.0), features
        ),
        "convnext-tiny": lambda: Backbone(models.convnext_tiny(stochastic_depth_prob=0.0), features),
    }[architecture]()


class Classifier(nn.Module):
    def __init__(self, architecture):
        super().__init__()
        self.backbone = backbone(architecture)
        for name in ("classifier", "fc"):
            if hasattr(self.inner(), name):
                setattr(self.inner(), name, nn.Identity())
        with torch.no_grad():
            channels = self.backbone.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
        self.head = nn.Linear(channels, FINDINGS)

    def inner(self):
        return getattr(self.backbone, "model", self.backbone)

    def forward(self, films):
        return self.head(self.backbone(films).mean((2, 3)))


def write_shared(architecture, batch, size, path):
    torch.manual_seed(1)
    model = Classifier(architecture)
    tensors = {k: v.contiguous() for k, v in model.inner().state_dict().items()}
    tensors["head.weight"], tensors["head.bias"] = model.head.weight, model.head.bias
    tensors["films"] = torch.randn(batch, 3, size, size)
    tensors["targets"] = (torch.rand(batch, FINDINGS) < 0.2).float()
    save_file({name: tensor.detach() for name, tensor in tensors.items()}, path)


def read_shared(architecture, path):
    """The network with the file's weights, its films and its targets."""
    tensors = load_file(path)
    films, targets = tensors.pop("films"), tensors.pop("targets")
    model = Classifier(architecture)
    head = {name: tensors.pop(f"head.{name}") for name in ("weight", "bias")}
    model.head.load_state_dict(head)
    model.inner().load_state_dict(tensors)
    return model, films, targets
