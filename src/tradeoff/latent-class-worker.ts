import { type FoundClasses, type LatentClassSearch, searchFrom, searchToEnd } from "./latent-class-search.js";

/** One search of a latent-class logit: a short one from a seed, or one to the end from a place. It runs in a worker thread. */
export const latentClassWorker =
  (search: LatentClassSearch) =>
  (task: number | Float64Array): FoundClasses =>
    typeof task === "number" ? searchFrom(search, task) : searchToEnd(search, task);
