/** `GET /containerLogs/<namespace>/<pod>/<container>`. */
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { core } from '../../api/index.ts'
import { badRequest, notFound } from '../../machinery/errors.ts'
import { parseTime } from '../../machinery/time.ts'
import { podUid, type NodeContext } from '../context.ts'
import { readLog, type LogOptions } from '../logs/read-log.ts'
import { podLogDirectory } from '../pods/names.ts'
import { readWorld } from '../pods/world.ts'
import type { ContainerStatus } from '../runtime/driver.ts'
import type { FindPod } from './streams.ts'

/** Writes the log as it is asked for. Throws `ApiError` in Kubernetes's words when there is none. */
export async function serveLogs(context: NodeContext, find: FindPod, url: URL, response: ServerResponse): Promise<void> {
  const [, , namespace = '', name = '', container = ''] = url.pathname.split('/')
  const worker = find(namespace, name)
  if (!worker) throw notFound(core.pods, name)
  const query = url.searchParams
  const status = await chosen(context, worker.current(), container, query.get('previous') === 'true')
  const file = join(podLogDirectory(context.directories.logs, worker.pod), container, `${status.attempt}.log`)
  const abort = new AbortController()
  response.once('close', () => abort.abort())
  const isRunning = async () => (await context.runtime.containerStatus(status.id))?.state === 'running'
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  const chunks = Readable.from(readLog(file, optionsOf(query, context.clock.now()), isRunning, abort.signal), { objectMode: true, highWaterMark: 1 })
  await pipeline(chunks, response).catch((error: unknown) => { if (!abort.signal.aborted) throw error })
}

function optionsOf(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string) => (query.get(name) ? Number(query.get(name)) : undefined)
  const seconds = number('sinceSeconds')
  const time = query.get('sinceTime')
  const since = seconds === undefined ? (time ? parseTime(time) : undefined) : now - seconds * 1000
  const stream = query.get('stream')?.toLowerCase()
  const [tailLines, limitBytes] = [number('tailLines'), number('limitBytes')]
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
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
