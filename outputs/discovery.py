"""What Home Assistant must be told to show a source as a device, by itself.

Source: Home Assistant, "MQTT", sections "MQTT Discovery", "Discovery topic", "Using availability topics";
"MQTT Sensor"; "MQTT binary sensor": https://www.home-assistant.io/integrations/mqtt/.
"""

from __future__ import annotations

import hashlib
import json
import re

from core.status import STATES
from outputs.rows import sendable

_ON = "{{{{ 'ON' if value_json.{} else 'OFF' }}}}"
_COUNT: dict[str, object] = {"unit_of_measurement": "people", "icon": "mdi:account-group"}

# By COMPONENT/NAME: what is said of each entity alone.
_ENTITIES: dict[str, dict[str, object]] = {
    "sensor/people": {
        "name": "People",
        "value_template": "{{ value_json.people }}",
        "state_class": "measurement",
        **_COUNT,
    },
    "sensor/visitors": {
        "name": "Visitors",
        "value_template": "{{ value_json.visitors }}",
        "state_class": "total_increasing",
        **_COUNT,
    },
    "binary_sensor/occupied": {
        "name": "Occupied",
        "value_template": _ON.format("people > 0"),
        "device_class": "occupancy",
    },
    "binary_sensor/camera": {
        "name": "Camera",
        "value_template": _ON.format("state == 'up'"),
        "device_class": "connectivity",
        "entity_category": "diagnostic",
    },
    "sensor/state": {
        "name": "State",
        "value_template": "{{ value_json.state }}",
        "device_class": "enum",
        "options": list(STATES),
        # Not all of it: Home Assistant allows no attribute `state`, and stores each change of any.
        "json_attributes_template": "{{ {'reason': value_json.reason} | tojson }}",
        "entity_category": "diagnostic",
        "icon": "mdi:cctv",
    },
}
# Else they would be unavailable just when they have to say that the source is gone.
_ALWAYS = ("binary_sensor/camera", "sensor/state")
_ORIGIN = "stream.py"
_TOPIC = "homeassistant/{}/{}/config"
ALL = _TOPIC.format("+", "+")


def discovery(source: str, base: str, status: str, version: str) -> dict[str, str]:
    """Retained messages by topic, `homeassistant/COMPONENT/UNIQUE_ID/config`.

    Args:
        source: its name.
        base: topic that those of the source begin with.
        status: topic that says whether the program runs.
        version: of the program; empty if not known.
    """
    unique = _unique(base)
    known = {"sw_version": version} if version else {}
    common = {
        "state_topic": f"{base}/state",
        "device": {"identifiers": [unique], "name": sendable(source), "model": "stream.py", **known},
        "origin": {"name": _ORIGIN, **known},
        "qos": 1,
    }
    running, giving = {"topic": status}, {"topic": f"{base}/availability"}
    found = {}
    for path, entity in _ENTITIES.items():
        component, name = path.split("/")
        needs = [running] if path in _ALWAYS else [running, giving]
        reach = {"availability": needs, "availability_mode": "all", "unique_id": f"{unique}_{name}"}
        more = {"json_attributes_topic": f"{base}/state"} if "json_attributes_template" in entity else {}
        topic = _TOPIC.format(component, f"{unique}_{name}")
        found[topic] = json.dumps({**common, **entity, **reach, **more}, ensure_ascii=False)
    return found


def told_of(text: str, status: str) -> str:
    """The `base` that a message was made with by `discovery`, with the same `status`; empty for any other.

    >>> text, *_ = discovery("door", "shop/door", "shop/status", "").values()
    >>> told_of(text, "shop/status"), told_of(text, "bar/status"), told_of("{}", "shop/status")
    ('shop/door', '', '')
    """
    try:
        said = json.loads(text)
        ours = said["origin"]["name"] == _ORIGIN and {"topic": status} in said["availability"]
        base = str(said["state_topic"]).removesuffix("/state") if ours else ""
    except (ValueError, LookupError, TypeError, RecursionError):  # somebody else's, or made to harm
        return ""
    # Anybody may write there: no other topics than such as ours are cleared by it.
    prefix = re.escape(status.removesuffix("status"))
    return base if re.fullmatch(rf"{prefix}[^/+#\x00-\x1f\x7f\ud800-\udfff]{{1,1000}}", base) else ""


def _unique(base: str) -> str:
    """Only the characters that a discovery topic may have, and yet another one for each topic.

    >>> _unique("shop/문 앞"), _unique("shop/door")
    ('stream_shop_____ea9060', 'stream_shop_door_c149a2')
    """
    mark = hashlib.sha256(base.encode()).hexdigest()[:6]
    return f"stream_{re.sub(r'[^a-zA-Z0-9_-]', '_', base)}_{mark}"
