export type { LinkSettings, MeshEvent } from "./mesh-network.ts";
export { type MeshOptions, type MeshService, type TestMesh, testMesh } from "./test-mesh.ts";
export { type TestedService, type TestServiceOptions, testService } from "./test-service.ts";
