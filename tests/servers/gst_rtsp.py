"""An RTSP server that is not ours: GStreamer's, perhaps encrypted, or with a login by Digest.

    /usr/bin/python3 gst_rtsp.py [--coding h265] [--login USER PASSWORD] [--certificate FILE KEY]

Runs in the system's Python, which alone has GStreamer's bindings. Prints its port; ends with its input.
"""

from __future__ import annotations

import argparse
import sys

FILM = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 "
    "! {encoder} tune=zerolatency speed-preset=ultrafast key-int-max=25 "
    "! rtp{coding}pay name=pay0 config-interval=1 )"
)
ENCODERS = {"h264": "x264enc", "h265": "x265enc"}
ROLE = "viewer"


def main() -> None:
    """Serve until whoever started it is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--coding", choices=ENCODERS, default="h264")
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--certificate", nargs=2)
    asked = parser.parse_args()
    # Not above: whoever only looks through the tests' modules has no such thing.
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    encoder = ENCODERS[asked.coding]
    if not Gst.ElementFactory.find(encoder):
        sys.exit(f"{encoder} is not available")
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(FILM.format(encoder=encoder, coding=asked.coding))
    factory.set_shared(True)
    if asked.login or asked.certificate:
        auth = GstRtspServer.RTSPAuth()
        server.set_auth(auth)
        if asked.certificate:
            encrypt(auth, *asked.certificate)
        if asked.login:
            protect(auth, factory, *asked.login)
    server.get_mount_points().add_factory("/main", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    loop.run()


def encrypt(auth, file: str, key: str) -> None:
    """Speak TLS with this certificate."""
    from gi.repository import Gio

    if not Gio.TlsBackend.get_default().supports_tls():
        sys.exit("TLS is not available; it comes with glib-networking")
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(file, key))


def protect(auth, factory, user: str, password: str) -> None:
    """Show the film only to who knows the password."""
    from gi.repository import GstRtsp, GstRtspServer

    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_digest(user, password, token)
    rights = GstRtspServer.RTSPPermissions.new()
    for right in ("media.factory.access", "media.factory.construct"):
        rights.add_permission_for_role(ROLE, right, True)
    factory.set_permissions(rights)


if __name__ == "__main__":
    main()
