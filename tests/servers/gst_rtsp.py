"""An RTSP server that is not ours: GStreamer's, perhaps with a login by Digest.

    /usr/bin/python3 gst_rtsp.py [USER PASSWORD]

Runs in the system's Python, which alone has GStreamer's bindings. Prints its port; ends with its input.
"""

from __future__ import annotations

import sys

FILM = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 "
    "! rtph264pay name=pay0 config-interval=1 )"
)
ROLE = "viewer"


def main() -> None:
    """Serve until whoever started it is gone."""
    # Not above: whoever only looks through the tests' modules has no such thing.
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(FILM)
    factory.set_shared(True)
    if len(sys.argv) > 1:
        protect(server, factory, sys.argv[1], sys.argv[2])
    server.get_mount_points().add_factory("/main", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    loop.run()


def protect(server, factory, user: str, password: str) -> None:
    """Show the film only to who knows the password."""
    from gi.repository import GstRtsp, GstRtspServer

    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    rights = GstRtspServer.RTSPPermissions.new()
    for right in ("media.factory.access", "media.factory.construct"):
        rights.add_permission_for_role(ROLE, right, True)
    factory.set_permissions(rights)


if __name__ == "__main__":
    main()
