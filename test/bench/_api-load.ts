/** The load: wrk for calls, raw sockets for watches. The same against any side. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { benchNamespace, collection, doomed, nameOf, otherNamespace, pods, podOf } from './_api-objects.ts'
import { dial, exchange, quantile } from './_connection.ts'

const run = promisify(execFile)

/** Where the load goes. */
export interface Place { readonly url: string; readonly token: string }

export interface Rate { /** Calls that were refused and are not counted: names that a peer made up twice. */ readonly collisions?: number; readonly perSecond: number; readonly requests: number; readonly bytesPerSecond: number; readonly p50: string; readonly p99: string }

/** Before v1.30 an API server refuses a create for which it made up a name that is taken: of a thousand, one or two. */
const mostCollisions = 1 / 200

/**
 * Calls at 32 connections for `seconds`, by a process that gives way to others by `niceness`. Rejects when an answer is none of success;
 * `mayCollide`: a few need not be.
 */
export async function load(place: Place, path: string, seconds: number, script?: string, niceness = 0, mayCollide = false): Promise<Rate> {
  const header = ['-H', `Authorization: Bearer ${place.token}`]
  const { stdout } = await run('nice', ['-n', String(niceness), 'wrk', '-t1', '-c32', `-d${seconds}s`, '--timeout', '10s', '--latency', ...header, ...(script ? ['-s', script] : []), place.url + path])
  const word = (pattern: RegExp) => pattern.exec(stdout)?.[1] ?? '?'
  const requests = Number(word(/(\d+) requests in/))
  const collisions = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  if (collisions > (mayCollide ? requests * mostCollisions : 0)) throw new Error(`${place.url}${path}: ${stdout}`)
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)(\w+)/.exec(stdout) ?? []
  const scale: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }
  return { collisions, perSecond: Number(word(/Requests\/sec:\s+([\d.]+)/)) * (1 - collisions / requests), requests, bytesPerSecond: Number(amount) * (scale[unit ?? 'B'] ?? 1), p50: word(/\n\s+50%\s+(\S+)/), p99: word(/\n\s+99%\s+(\S+)/) }
}

export interface Call {
  readonly name: string
  /** The part of the bare server's rate that is wanted. */
  readonly target?: number
  readonly path: string
  readonly code: number
  /** Measured in bytes per second instead of calls. */
  readonly bulk?: true
  /** For wrk: one request after another, with a number that goes up. */
  readonly script?: { readonly method: string; readonly type: string; readonly path: string; readonly body: string }
  /** Takes away what was made for it before. */
  readonly deletes?: true
}

export const calls: readonly Call[] = [
  { name: 'get one pod', target: 0.45, path: `${collection}/${nameOf(7)}`, code: 200 },
  { name: 'list of 3,000 pods', target: 0.6, path: collection, code: 200, bulk: true },
  {
    name: 'create a pod', target: 0.2, path: collection, code: 201,
    script: { method: 'POST', type: 'application/json', path: `/api/v1/namespaces/${otherNamespace}/pods`, body: JSON.stringify(podOf({ generateName: 'n-', namespace: otherNamespace })) },
  },
  {
    name: 'merge patch', target: 0.15, path: collection, code: 200,
    script: { method: 'PATCH', type: 'application/merge-patch+json', path: `/api/v1/namespaces/${benchNamespace}/pods/web-7d9c5b8f6-%06d`, body: '{"metadata":{"annotations":{"n":"NUMBER"}}}' },
  },
  { name: 'delete a pod', path: `/api/v1/namespaces/${otherNamespace}/pods`, code: 200, deletes: true },
]

/** Deletes every doomed pod once, over 32 connections; the same requests go to `path` where nothing is to be deleted. */
export async function deleteAll(place: Place, path?: string): Promise<Rate> {
  const times: number[] = []
  let next = 0
  const sockets = await Promise.all(Array.from({ length: 32 }, () => dial(place.url)))
  const begun = performance.now()
  await Promise.all(sockets.map(async (socket) => {
    while (next < doomed) {
      const target = path ?? `/api/v1/namespaces/${otherNamespace}/pods/${nameOf(next)}`
      next++
      const sent = performance.now()
      await exchange(socket, `DELETE ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${place.token}\r\n\r\n`)
      times.push(performance.now() - sent)
    }
  }))
  const perSecond = (doomed * 1000) / (performance.now() - begun)
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  const shown = (part: number) => `${quantile(times, part).toFixed(2)}ms`
  return { perSecond, requests: doomed, bytesPerSecond: NaN, p50: shown(0.5), p99: shown(0.99) }
}

/** Writes the Lua script of a call to `folder`; undefined for calls that need none. */
export function scriptOf({ name, script }: Call, folder: string): string | undefined {
  if (!script) return undefined
  const file = join(folder, `${name.replaceAll(' ', '-')}.lua`)
  // Numbers go on from one run to the next: a patch that changes nothing would be answered without a write.
  writeFileSync(file, [
    `local n = ${Date.now() % 1e9}`, `wrk.headers["Content-Type"] = "${script.type}"`,
    `function request() n = n + 1; local i = n % ${pods}; return wrk.format("${script.method}", string.format(${JSON.stringify(script.path)}, i), nil, (string.gsub([==[${script.body}]==], "NUMBER", n))) end`,
  ].join('\n'))
  return file
}

/** The text at a path; as a program gets it: for curl it would be indented. */
export async function fetchText({ url, token }: Place, path: string): Promise<string> {
  const { stdout } = await run('curl', ['-sk', '-A', 'skiff-bench', '-H', `Authorization: Bearer ${token}`, url + path], { maxBuffer: 1 << 30 })
  return stdout
}

/** The resourceVersion of the pods as they are now. */
export async function revisionOf(place: Place): Promise<string> {
  return (JSON.parse(await fetchText(place, `${collection}?limit=1`)) as { metadata: { resourceVersion: string } }).metadata.resourceVersion
}

/** A raw watcher: counts the frames' ends, parses nothing. `done` once it has seen `wanted` of them. */
export function watcher({ url, token }: Place, path: string, wanted: number): Promise<{ socket: TLSSocket; done: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    let seen = 0
    let head = true
    let finish: () => void
    const done = new Promise<void>((settle) => (finish = settle))
    socket.on('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => {
      if (head) {
        head = false
        if (!chunk.includes('200 OK')) reject(new Error(chunk.toString()))
        resolve({ socket, done })
        return
      }
      for (let at = chunk.indexOf('}}\n'); at >= 0; at = chunk.indexOf('}}\n', at + 3)) seen++
      if (seen >= wanted) finish()
    })
  })
}

export const fanOutEvents = 300
const fanOutWatchers = 100

/** How many events per second reach 100 watchers together, while `make` makes 300. */
export async function fanOut(place: Place, path: string, make: () => Promise<unknown>): Promise<number> {
  const all = await Promise.all(Array.from({ length: fanOutWatchers }, () => watcher(place, path, fanOutEvents)))
  const begun = performance.now()
  await make()
  await Promise.all(all.map(({ done }) => done))
  const rate = (fanOutWatchers * fanOutEvents * 1000) / (performance.now() - begun)
  for (const { socket } of all) socket.destroy()
  return rate
}
