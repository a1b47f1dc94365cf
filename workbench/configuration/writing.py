"""Configurations as people read them: YAML without what is as it is by default."""

from __future__ import annotations

import io
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from workbench.configuration.document import BalancerConfiguration

_WIDTH = 160


def document_text(configuration: BalancerConfiguration) -> str:
    """Write a configuration as YAML; reading it gives the same configuration."""
    content = short(configuration)
    content["servers"] = {name: short(one) for name, one in configuration.servers.items()}
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = None  # what holds plain values only stands on one line
    yaml.width = _WIDTH
    yaml.dump(content, stream)
    return stream.getvalue()


def short(section: BaseModel) -> dict[str, Any]:
    """Give the content of a section without what is as it is by default; its `kind` stays."""
    plain = section.model_dump(mode="json")
    content: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if (
            name != "kind"
            and not field.is_required()
            and value == field.get_default(call_default_factory=True)
        ):
            continue
        content[name] = short(value) if isinstance(value, BaseModel) else plain[name]
    return content


def settings(configuration: BalancerConfiguration) -> dict[str, str]:
    """Tell what is set besides servers and strategy, by its key."""
    told = {}
    for name in type(configuration.balancers).model_fields:
        part = getattr(configuration.balancers, name)
        if isinstance(part, BaseModel) and name != "strategy":
            told[name] = _said(part)
        elif name != "strategy" and part != type(configuration.balancers).model_fields[name].default:
            told[name] = str(part)
    if clients := _said(configuration.clients):
        told["clients"] = clients
    if configuration.target is not None:
        told["target"] = _said(configuration.target)
    if configuration.load:
        told["load"] = configuration.load
    return told


def _said(section: BaseModel) -> str:
    content = short(section)
    kind = str(content.pop("kind", ""))
    keys = ", ".join(f"{key} {value}" for key, value in content.items())
    return f"{kind} ({keys})" if kind and keys else kind or keys
