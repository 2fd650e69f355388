/**
 * Whether a flood from one user slows another down: 200 connections of one service account list 3,000 pods, create pods or get one, while
 * another, in the same priority level, gets a pod a hundred times a second. With flow control, and first come, first served; the best of
 * three rounds each, because other processes of the machine take their time too.
 * Run: `node test/bench/fairness.ts [seconds per measurement [lists, creates or gets]]`. Needs wrk and openssl (Debian: `apt-get install wrk openssl`).
 */
import { execFile, execFileSync, fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { nameOf, podOf } from './_api-objects.ts'

const run = promisify(execFile)
const seconds = Number(process.argv[2] ?? 3)
const rounds = 3
const only = process.argv[3] ?? ''
const connections = 200
const pods = 3000
/** Between two gets of the user whose time is measured, in milliseconds. */
const pause = 10
const base = mkdtempSync(join(tmpdir(), 'skiff-bench-fairness-'))
const collection = '/api/v1/namespaces/default/pods'

interface Server { readonly url: string; readonly tokens: { readonly flood: string; readonly other: string }; readonly child: ChildProcess }

function start(mode: 'fair' | 'first-come'): Promise<Server> {
  const execArgv = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--initial-old-space-size=32', '--heap-growing-percent=40']
  const child = fork(join(import.meta.dirname, '_fairness-server.ts'), [base, mode, String(pods)], { execArgv, env: { ...process.env, MALLOC_ARENA_MAX: '2' } })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)))
    child.once('message', (message) => resolve({ ...(message as Omit<Server, 'child'>), child }))
  })
}

/** One connection that asks for one pod at a time, as soon as `pause` has passed: the time of each answer, in milliseconds. */
async function measure({ url, tokens }: Server): Promise<readonly number[]> {
  const { hostname, port } = new URL(url)
  const socket: TLSSocket = await new Promise((resolve, reject) => {
    const made = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => resolve(made))
    made.once('error', reject)
  })
  socket.setNoDelay(true)
  const request = `GET ${collection}/${nameOf(7)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tokens.other}\r\n\r\n`
  const answered = () => new Promise<void>((resolve, reject) => {
    let text = ''
    socket.on('data', function take(chunk: Buffer) {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head < 0 || text.length < head + 4 + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)) return
      socket.off('data', take)
      if (text.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(text.slice(0, 500)))
    })
  })
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const begun = performance.now()
    socket.write(request)
    await answered()
    times.push(performance.now() - begun)
    await sleep(pause)
  }
  socket.destroy()
  return times.toSorted((a, b) => a - b)
}

const at = (times: readonly number[], part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN

/** The round in which the server was disturbed least. */
async function best(server: Server): Promise<readonly number[]> {
  const all = []
  for (let i = 0; i < rounds; i++) all.push(await measure(server))
  return all.toSorted((a, b) => at(a, 0.99) - at(b, 0.99))[0] ?? []
}

const createScript = () => {
  const file = join(base, 'create.lua')
  const body = JSON.stringify(podOf({ generateName: 'n-', namespace: 'other' }))
  writeFileSync(file, `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[${body}]==]\n`)
  return ['-s', file]
}

const floods = [
  { name: 'lists', path: collection, extra: () => [] as string[] },
  { name: 'creates', path: '/api/v1/namespaces/other/pods', extra: createScript },
  { name: 'gets', path: `${collection}/${nameOf(9)}`, extra: () => [] as string[] },
] as const

async function measureAll(mode: 'fair' | 'first-come'): Promise<void> {
  const server = await start(mode)
  await measure(server)
  const calm = await best(server)
  const show = (name: string, times: readonly number[], rate: string) =>
    console.log(`${mode.padEnd(10)} ${name.padEnd(8)} ${[0.5, 0.99, 1].map((part) => `${at(times, part).toFixed(1)}ms`.padStart(9)).join(' ')} ${(at(times, 0.99) / at(calm, 0.99)).toFixed(2).padStart(8)} ${rate.padStart(9)}`)
  show('nobody', calm, '')
  for (const { name, path, extra } of floods.filter((flood) => flood.name.includes(only))) {
    const wrk = run('wrk', ['-t1', `-c${connections}`, `-d${seconds * rounds + 2}s`, '--timeout', '60s', '-H', `Authorization: Bearer ${server.tokens.flood}`, ...extra(), server.url + path])
    await sleep(1000)
    const times = await best(server)
    const { stdout } = await wrk
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? '?'
    const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1]
    show(name, times, `${Number(rate).toFixed(0)}/s${refused ? ` (${refused} refused)` : ''}`)
  }
  const gone = new Promise((resolve) => server.child.removeAllListeners('exit').once('exit', resolve))
  server.child.disconnect()
  await gone
}

try {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')], { stdio: 'ignore' })
  console.log(`${'turns'.padEnd(10)} ${'flood'.padEnd(8)} ${'p50'.padStart(9)} ${'p99'.padStart(9)} ${'worst'.padStart(9)} ${'p99 ×'.padStart(8)} ${'flood'.padStart(9)}`)
  await measureAll('fair')
  await measureAll('first-come')
} finally {
  rmSync(base, { recursive: true, force: true })
}
