import { runService } from "../service/run-service.ts";
import { startUserService } from "./start-user-service.ts";

await runService({ name: "user-service", portSetting: "userPort", start: startUserService });
