// For applications.

export type { EventHandler, HandledEvent } from "./consume/subscription.ts";
export type { PublishOptions } from "./event-record.ts";
export { createEvents, type Events, type EventsOptions, type RunningEvents, type SubscribeOptions } from "./events.ts";
export { EventHub, type EventHubOptions } from "./hub/event-hub.ts";
export { EventLog, type EventLogOptions } from "./hub/event-log.ts";
export { type HubAddress, hostHub } from "./hub/host-hub.ts";
export { createRemoteHub, type RemoteHubOptions } from "./hub/remote-hub.ts";
export { type NatsHost, type NatsOptions, openNats } from "./nats/open-nats.ts";
export { createEventTables, eventTablesSql } from "./outbox/event-tables.ts";
export { listParkedEvents, type ParkedEvent, retryParkedEvents } from "./outbox/parked-events.ts";

// For adapters and tests.

export type { ConsumeOptions, Consumer, Delivery, EventBroker } from "./broker/event-broker.ts";
export { EventRefused } from "./broker/event-refused.ts";
export type { EventRecord } from "./event-record.ts";
export type { DurableStep, Failpoint } from "./failpoint.ts";
export type { SubscriptionId } from "./hub/event-log.ts";
export type { LoggedEvent } from "./hub/logged-event.ts";
