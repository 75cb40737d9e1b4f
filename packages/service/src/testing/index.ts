export { type TestedService, type TestServiceOptions, testService } from "./test-service.ts";
