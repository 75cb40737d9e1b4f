export { aborted, collect, createOccasion, type Occasion, streamOf } from "@tercel/test-support/async";
