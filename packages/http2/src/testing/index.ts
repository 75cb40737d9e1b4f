// The peer that a test plays, and the connection that it plays against.
export {
  createScriptedClient,
  createScriptedServer,
  type ScriptedClient,
  type ScriptedConnection,
  type ScriptedOptions,
} from "./scripted-connection.ts";
export { createSocketPeer } from "./socket-peer.ts";
export {
  type ContentOptions,
  type HeadersOptions,
  type PeerWire,
  ScriptedPeer,
  type SettingsValues,
} from "./scripted-peer.ts";

// What comes out of it.
export { RecordedEvents } from "./recorded-events.ts";
export { type ListenerCall, RecordedStream } from "./recorded-stream.ts";
export type { WireFrame, WireFrameType } from "./wire-frame.ts";

// The parts, for tests that put things together themselves.
export { buildFrame, type RawFrame, uint32 } from "./build-frame.ts";
export { FakeClock } from "./fake-clock.ts";
export { MemoryChannel, type MemoryChannelEnds } from "./memory-channel.ts";
export { WireDecoder } from "./wire-decoder.ts";
