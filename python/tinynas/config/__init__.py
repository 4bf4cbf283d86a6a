"""Configuration: validated models over YAML files, sizes, bundled configs by name."""

from tinynas.config.loader import Config, configs_dir, find_config, load_yaml
from tinynas.config.sizes import format_size, parse_count, parse_size

__all__ = ["Config", "configs_dir", "find_config", "format_size", "load_yaml", "parse_count", "parse_size"]
