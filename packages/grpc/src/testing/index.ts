export { createFakeClock, type FakeClock } from "../time/fake-clock.ts";
export { assertStatus, type ExpectedError } from "./assert-status.ts";
export { createInMemoryTransport, type InMemoryOptions, type InMemoryTransport } from "./in-memory-transport.ts";
export { createStubServer, type StubOptions, type StubServer } from "./stub-server.ts";
export { createTestContext, type TestContext, type TestContextOptions } from "./test-context.ts";
