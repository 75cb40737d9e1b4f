export {
  aborted,
  collect,
  createOccasion,
  type Occasion,
  quiet,
  settled,
  streamOf,
  turn,
} from "@tercel/test-support/async";
