export { buildGoPeer, startGoPeer, withoutGo } from "./go-peer.ts";
export { buildPythonPeer, startPythonPeer, withoutPython } from "./python-peer.ts";
