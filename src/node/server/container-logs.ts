/** `GET /containerLogs/<namespace>/<pod>/<container>`. */
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { core } from '../../api/index.ts'
import { ApiError, badRequest } from '../../machinery/errors.ts'
import { parseInt64 } from '../../machinery/int64.ts'
import { parseInstant } from '../../machinery/time.ts'
import { podUid, type NodeContext } from '../context.ts'
import { readLog, type LogOptions } from '../logs/read-log.ts'
import { podLogDirectory } from '../pods/names.ts'
import { readWorld } from '../pods/world.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import type { FindPod } from './streams.ts'

/** Writes the log as it is asked for. Throws `ApiError` in Kubernetes's words when there is none. */
export async function serveLogs(context: NodeContext, find: FindPod, url: URL, response: ServerResponse): Promise<void> {
  const [, , namespace = '', name = '', container = ''] = url.pathname.split('/')
  const query = url.searchParams
  const options = optionsOf(query, context.clock.now())
  const worker = find(namespace, name)
  if (!worker) throw new ApiError(404, 'NotFound', `pod ${JSON.stringify(name)} does not exist`)
  const { containers, initContainers = [], ephemeralContainers = [] } = worker.pod.spec
  if (![...containers, ...initContainers, ...ephemeralContainers].some((c) => c.name === container)) throw new ApiError(404, 'NotFound', `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`)
  const status = await chosen(context, worker.current(), container, isTrue(query, 'previous'))
  const file = join(podLogDirectory(context.directories.logs, worker.pod), container, `${status.attempt}.log`)
  const abort = new AbortController()
  response.once('close', () => abort.abort())
  const isRunning = async () => (await context.runtime.containerStatus(status.id))?.state === 'running'
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  const chunks = Readable.from(readLog(file, options, isRunning, abort.signal), { objectMode: true, highWaterMark: 1 })
  await pipeline(chunks, response).catch((error: unknown) => { if (!abort.signal.aborted) throw error })
}

/** Everything but `0` and `false` is true, as in all parameters of Kubernetes. */
const isTrue = (query: URLSearchParams, name: string): boolean => !['0', 'false'].includes((query.get(name) ?? 'false').toLowerCase())

const undecodable = (): ApiError => badRequest('{"message": "Unable to decode query."}')

/** What the parameters ask for. Throws `ApiError` 400 for those that cannot be read, and 422 for those that make no sense. */
function optionsOf(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string, text = query.get(name)): number | undefined => {
    if (text === null) return undefined
    const value = parseInt64(text)
    if (typeof value === 'string') throw undecodable()
    return Number(value)
  }
  // An older name of it; `all` is no limit.
  const tail = query.get('tail') || query.get('tailLines')
  const [tailLines, limitBytes, sinceSeconds] = [tail === 'all' && query.get('tail') ? undefined : number('tailLines', tail), number('limitBytes'), number('sinceSeconds')]
  const time = query.get('sinceTime')
  const instant = time ? parseInstant(time) : undefined
  if (time && !instant) throw undecodable()
  const stream = query.get('stream') ?? 'All'
  const senseless = (tailLines ?? 0) < 0 || (limitBytes ?? 1) < 1 || (sinceSeconds ?? 1) < 1 || (sinceSeconds !== undefined && instant !== undefined)
    || !['All', 'Stdout', 'Stderr'].includes(stream) || (stream !== 'All' && tailLines !== undefined)
  if (senseless) throw new ApiError(422, 'Invalid', '{"message": "Invalid request."}')
  const since = sinceSeconds === undefined ? (instant && instant.seconds * 1000 + instant.nanos / 1e6) : now - sinceSeconds * 1000
  return {
    follow: isTrue(query, 'follow'),
    timestamps: isTrue(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
    ...(stream === 'All' ? {} : { stream: stream === 'Stdout' ? 'stdout' : 'stderr' }),
  }
}

async function chosen(context: NodeContext, pod: core.Pod, container: string, previous: boolean): Promise<ContainerStatus> {
  const { containers } = await readWorld(context.runtime, podUid(pod))
  const attempts = containers.filter((c) => c.name === container && c.state !== 'created')
  const status = previous ? attempts.slice(1).find((c) => c.state === 'exited') : attempts[0]
  if (status) return status
  const podName = pod.metadata.name
  if (previous) throw badRequest(`previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(podName)} not found`)
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? []), ...(pod.status.ephemeralContainerStatuses ?? [])]
  const waiting = all.find((s) => s.name === container)?.state.waiting
  throw badRequest(waiting
    ? waitingText(container, podName ?? '', waiting)
    : `container ${JSON.stringify(container)} in pod ${JSON.stringify(podName)} is not available`)
}

function waitingText(container: string, pod: string, waiting: core.ContainerStateWaiting): string {
  const what = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod)} is waiting to start`
  if (waiting.reason === 'ErrImagePull') return `${what}: image can't be pulled`
  if (waiting.reason === 'ImagePullBackOff') return `${what}: trying and failing to pull image`
  return `${what}: ${waiting.reason}`
}
