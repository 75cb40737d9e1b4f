import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `migrations/0001_<table>.sql`. */
export function migrationFile({ names: { pluralSnake, second, unique }, with: { database } }: ServicePlan): string {
  const isPostgres = database === "postgres";
  const time = isPostgres ? "TIMESTAMPTZ" : "TEXT";
  const column = (name: string): string => `  ${name} TEXT NOT NULL${name === unique ? " UNIQUE" : ""},`;
  return joinLines(
    `CREATE TABLE ${pluralSnake} (`,
    "  id TEXT PRIMARY KEY,",
    column("name"),
    column(second),
    `  created_at ${time} NOT NULL,`,
    `  updated_at ${time} NOT NULL`,
    isPostgres ? ");" : ") STRICT;",
    "",
    "-- down",
    `DROP TABLE ${pluralSnake};`,
  );
}
