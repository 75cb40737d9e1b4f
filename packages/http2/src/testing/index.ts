// The peer that a test plays, the connection that it plays against, what comes out of it, and the parts of all that.
export { buildFrame, pad, type RawFrame, uint32 } from "./build-frame.ts";
export { FakeClock } from "./fake-clock.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyOptions, type Faults } from "./fault-proxy.ts";
export { MemoryChannel, type MemoryChannelEnds } from "./memory-channel.ts";
export { RecordedEvents } from "./recorded-events.ts";
export { type ListenerCall, RecordedStream } from "./recorded-stream.ts";
export {
  createScriptedClient,
  createScriptedServer,
  type ScriptedClient,
  type ScriptedConnection,
  type ScriptedOptions,
} from "./scripted-connection.ts";
export {
  type ContentOptions,
  type HeadersOptions,
  type PeerWire,
  ScriptedPeer,
  type SettingsValues,
} from "./scripted-peer.ts";
export { createSocketPeer } from "./socket-peer.ts";
export { WireDecoder } from "./wire-decoder.ts";
export type { WireFrame, WireFrameType } from "./wire-frame.ts";
