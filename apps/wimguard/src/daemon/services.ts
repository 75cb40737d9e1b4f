import type { DescService } from "@bufbuild/protobuf";
import { BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { EnvService } from "../gen/wimguard/v1/env_pb.ts";
import { RegistryService } from "../gen/wimguard/v1/registry_pb.ts";
import { RestoreService } from "../gen/wimguard/v1/restore_pb.ts";
import { ScheduleService } from "../gen/wimguard/v1/schedule_pb.ts";
import { SnapshotService } from "../gen/wimguard/v1/snapshot_pb.ts";
import { StatisticsService } from "../gen/wimguard/v1/statistics_pb.ts";

/** The services of the daemon, apart from health and reflection. */
export const services: readonly DescService[] = [
  BackupService,
  RestoreService,
  SnapshotService,
  ScheduleService,
  RegistryService,
  EnvService,
  StatisticsService,
];
