import { HttpError, type LabRequest, type Reply } from "./http.js";

export type Handler = (request: LabRequest) => Reply | Promise<Reply>;

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

/**
 * Routes in the order they were added. In a pattern `:name` is one segment, `*name` the rest, which may be empty:
 * `/api/contents*path/checkpoints/:id`.
 */
export class Router {
  readonly #routes: Route[] = [];

  add(methods: string, pattern: string, handler: Handler): this {
    const source = pattern
      .replace(/[.]/g, "\\$&")
      .replace(/\/:(\w+)/g, "/(?<$1>[^/]+)")
      .replace(/\*(\w+)/g, "(?:/(?<$1>.*?))?");
    for (const method of methods.split(" ")) {
      this.#routes.push({ method, pattern: new RegExp(`^${source}/?$`), handler });
    }
    return this;
  }

  /**
   * The answer of the first route that fits.
   * @throws HttpError 404 without a route, 405 for a method the path does not take, 400 for a malformed encoding.
   */
  async handle(request: LabRequest): Promise<Reply> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    let known = false;
    for (const route of this.#routes) {
      const match = route.pattern.exec(request.path);
      if (!match) continue;
      known = true;
      if (route.method !== method) continue;
      request.params = decode(match.groups ?? {});
      return route.handler(request);
    }
    if (known) throw new HttpError(405, `${request.method} is not possible on ${request.path}`);
    throw new HttpError(404, `there is nothing at ${request.path}`);
  }
}

function decode(groups: Readonly<Record<string, string | undefined>>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value ?? "")]),
    );
  } catch {
    throw new HttpError(400, "the path holds a malformed % encoding");
  }
}
