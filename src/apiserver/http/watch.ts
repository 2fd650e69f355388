/** A watch, on any stream: from its query to its end. */
import { ApiError } from '../../machinery/errors.ts'
import { eventEncoder, type EventEncoder } from '../encoding/encode.ts'
import type { Format } from '../encoding/negotiate.ts'
import { watchObjects } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { selectionQuery, watchQuery } from './options.ts'
import type { ApiRequest } from './request.ts'
import type { ResourceEnvironment } from './resource-request.ts'
import { encodeOptions } from './resource-response.ts'
import type { WatchStream } from './watch-response.ts'

/** The duration of a watch without `timeoutSeconds`, in seconds: the minimum to twice that, at random, so that clients reconnect at different times. */
const defaultWatch = ({ minRequestTimeout = 1800 }: ResourceEnvironment): number => minRequestTimeout * (1 + Math.random())

/** Runs a watch until it ends, on the stream that `open` returns. Throws `ApiError` for a bad request before anything is sent. */
export async function runWatch(env: ResourceEnvironment, request: ApiRequest, served: Served, open: (format: Format, encode: EventEncoder) => WatchStream): Promise<void> {
  const options = encodeOptions(env, request, served)
  const query = watchQuery(request)
  const { clock } = env.registry
  const stream = open(options.format, eventEncoder(served, options, () => clock.now()))
  const stop = await watchObjects(env.registry, served, selectionQuery(request), query, stream).catch((error: unknown) => endWatch(stream, error))
  stream.started()
  request.begun?.()
  const end = () => stream.end()
  const timer = clock.after((query.timeoutSeconds || defaultWatch(env)) * 1000, end)
  env.closing.addEventListener('abort', end, { once: true })
  await stream.over
  env.closing.removeEventListener('abort', end)
  timer.cancel()
  stop()
}

/** A resource version that is too old, or not there yet, is an ERROR event of a watch that has begun, as Kubernetes's clients expect. */
function endWatch(stream: WatchStream, error: unknown): () => void {
  if (!(error instanceof ApiError) || (error.code !== 410 && error.code !== 504)) throw error
  stream.end(error)
  return () => undefined
}
