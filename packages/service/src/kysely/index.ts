export { createKysely } from "./create-kysely.ts";
