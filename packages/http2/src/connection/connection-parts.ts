import { TurnWork } from "../frame/turn-work.ts";
import type { StreamPeer } from "../stream/stream-home.ts";
import { Budgets } from "./abuse/budgets.ts";
import { ControlFrameGuard } from "./abuse/control-frame-guard.ts";
import { LimitNotifier } from "./abuse/limit-notifier.ts";
import type { ByteChannel } from "./byte-channel.ts";
import type { ConnectionEvents, ConnectionOptions } from "./connection-options.ts";
import { ControlFrames, type ControlFramesOwner } from "./control-frames.ts";
import { ConnectionCredit } from "./flow/connection-credit.ts";
import { MessageMemory } from "./flow/message-memory.ts";
import { SharedOutput } from "./flow/shared-output.ts";
import { GrowthAllowance } from "./flow/window-growth.ts";
import { FrameIntake } from "./frame-intake.ts";
import { FrameWriter, type FrameWriterOwner } from "./frame-writer.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { Inbound, type InboundOwner } from "./inbound.ts";
import { defaultLimits, resolveLimits } from "./limits.ts";
import { Outbound, type OutboundOwner } from "./outbound.ts";
import { OwnSettings } from "./settings/own-settings.ts";
import { PeerSettings } from "./settings/peer-settings.ts";
import { StreamRegistry, type StreamRegistryOwner } from "./streams/stream-registry.ts";
import { StreamTable } from "./streams/stream-table.ts";
import { Activity } from "./time/activity.ts";
import { systemClock } from "./time/clock.ts";
import { ConnectionTimers } from "./time/connection-timers.ts";
import { KeepaliveTimer } from "./time/keepalive.ts";
import { Pings } from "./time/pings.ts";
import { Ticker } from "./time/ticker.ts";
import { type EndedByTime, TimeLimits } from "./time/time-limits.ts";

/** What the parts of a connection need of the whole. */
export interface PartsOwner
  extends Http2Connection,
    StreamPeer,
    StreamRegistryOwner,
    InboundOwner,
    ControlFramesOwner,
    FrameWriterOwner,
    OutboundOwner,
    EndedByTime {}

export type ConnectionParts = ReturnType<typeof createParts>;

/** Makes the parts of a connection, each of which finds the others in the one object that is returned: every idle connection holds it. */
export function createParts(
  connection: PartsOwner,
  socket: ByteChannel,
  events: ConnectionEvents,
  options: ConnectionOptions,
) {
  const { role } = connection;
  const limits =
    options.resolvedLimits ?? (options.limits === undefined ? defaultLimits : resolveLimits(options.limits));
  const clock = options.clock ?? systemClock;
  const nowMs = clock.nowMs();
  // Before our SETTINGS have arrived, a peer may open more than they allow. Each costs a glitch.
  const streams = new StreamTable(role, limits.streams.maxConcurrent + limits.budgets.glitches.burst);
  const frames = new FrameWriter(socket, connection, limits, options.unindexedFields);
  const allowance = options.growthAllowance ?? new GrowthAllowance(limits.windows.sharedGrowthBytes);
  const sharedOutput = options.sharedOutput ?? new SharedOutput(limits.output);
  const parts = {
    connection,
    role,
    socket,
    clock,
    ticker: options.ticker ?? new Ticker(clock),
    limits,
    budgets: new Budgets(limits, clock),
    limitNotifier: new LimitNotifier(events, connection),
    turnWork: new TurnWork(),
    activity: new Activity(),
    phases: new ConnectionTimers(limits, nowMs),
    keepalive: options.keepalive === undefined ? undefined : new KeepaliveTimer(options.keepalive, nowMs),
    streams,
    frames,
    sharedOutput,
    outbound: new Outbound(frames, sharedOutput, connection),
    pings: new Pings(frames),
    allowance,
    credit: new ConnectionCredit(frames, limits, allowance),
    peerSettings: new PeerSettings(role, streams, frames),
    ownSettings: new OwnSettings(limits, frames),
    places: options.streamPlaces,
    sharedUnfinished: options.sharedUnfinished,
    respondToLargeHeaders: options.respondToLargeHeaders,
    // These need the parts above, and are set below.
    intake: undefined as unknown as FrameIntake,
    guard: undefined as unknown as ControlFrameGuard,
    memory: undefined as unknown as MessageMemory,
    registry: undefined as unknown as StreamRegistry,
    control: undefined as unknown as ControlFrames,
    inbound: undefined as unknown as Inbound,
    timeLimits: undefined as unknown as TimeLimits,
  };
  parts.intake = new FrameIntake(parts);
  parts.guard = new ControlFrameGuard(frames, limits, parts.intake.pacer, parts.limitNotifier);
  parts.memory = new MessageMemory(parts);
  parts.registry = new StreamRegistry(parts);
  parts.control = new ControlFrames(parts);
  parts.inbound = new Inbound(parts);
  parts.timeLimits = new TimeLimits(parts);
  return parts;
}
