/**
 * Whether a flood from one user slows another down: 200 connections of one service account list 3,000 pods, create pods or get one, while
 * another, in the same priority level, gets a pod two hundred times a second. With flow control, and first come, first served.
 *
 * It is the server that is measured, not how the kernel shares two cores among all there is to do: whoever asks has one core, with nobody else there
 * as under the flood, and there the server's helping threads and the user whose time is measured go before the flood. The thread that answers has the
 * other core, as a server whose clients are elsewhere: left to the kernel, it was at times on the core of those who ask, and waited for them. Of three
 * rounds of each the one with the best p99 is shown, because other processes of the machine take their time too.
 * Run as root: `node test/bench/fairness.ts [seconds per round [lists, creates or gets [fair or first-come]]]`. Needs two cores, wrk and openssl (Debian:
 * `apt-get install wrk openssl`).
 */
import { execFile, execFileSync, fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { nameOf, podOf } from './_api-objects.ts'
import { launcherEnvironment, launcherFlags } from './_launcher.ts'
import type { Turns } from './_fairness-server.ts'

const run = promisify(execFile)
const seconds = Number(process.argv[2] ?? 5)
const [only = '', onlyMode = ''] = process.argv.slice(3)
const rounds = 3
const connections = 200
const pods = 3000
/** Between two gets of the user whose time is measured, in milliseconds. */
const pause = 4
/** Where those who ask run, and where the server's main thread does; its other threads may run on both. */
const clientCore = '1'
const serverCore = '0'
/** The flood's client stands back; the user whose time is measured goes before everything else on that core. */
const back = ['nice', '-n', '15']
const first = ['chrt', '--fifo', '5']
const base = mkdtempSync(join(tmpdir(), 'skiff-bench-fairness-'))
const collection = '/api/v1/namespaces/default/pods'

interface Server { readonly url: string; readonly tokens: { readonly flood: string; readonly other: string }; readonly child: ChildProcess }

function start(mode: string): Promise<Server> {
  const child = fork(join(import.meta.dirname, '_fairness-server.ts'), [base, mode, String(pods)], { execArgv: [...launcherFlags], env: { ...process.env, ...launcherEnvironment } })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)))
    child.once('message', (message) => {
      // Only now: threads that it starts would have to share its core.
      execFileSync('taskset', ['-c', '-p', serverCore, String(child.pid)], { stdio: 'ignore' })
      resolve({ ...(message as Omit<Server, 'child'>), child })
    })
  })
}

async function wrk(priority: readonly string[], token: string, ...args: string[]): Promise<string> {
  return (await run('taskset', ['-c', clientCore, ...priority, 'wrk', '-t1', '--timeout', '60s', '-H', `Authorization: Bearer ${token}`, ...args])).stdout
}

function script(name: string, ...lines: string[]): string[] {
  const file = join(base, `${name}.lua`)
  writeFileSync(file, lines.join('\n'))
  return ['-s', file]
}

/** Milliseconds, and how the server's loop did meanwhile. */
interface Round { readonly p50: number; readonly p99: number; readonly worst: number; readonly turns: Turns }

/** One connection that asks for one pod at a time, as soon as `pause` has passed. */
async function measure(server: Server): Promise<Round> {
  const shown = 'string.format("TIMES %d %d %d\\n", latency:percentile(50), latency:percentile(99), latency.max)'
  const options = script('other', `function delay() return ${pause} end`, `function done(summary, latency) io.write(${shown}) end`)
  await turnsOf(server)
  const text = await wrk(first, server.tokens.other, '-c1', `-d${seconds}s`, ...options, `${server.url}${collection}/${nameOf(7)}`)
  if (/Non-2xx/.test(text)) throw new Error(text)
  const [p50 = NaN, p99 = NaN, worst = NaN] = (/TIMES (\d+) (\d+) (\d+)/.exec(text) ?? []).slice(1).map((microseconds) => Number(microseconds) / 1000)
  return { p50, p99, worst, turns: await turnsOf(server) }
}

/** The round in which the server was disturbed least. */
async function best(server: Server): Promise<Round> {
  const all: Round[] = []
  for (let i = 0; i < rounds; i++) all.push(await measure(server))
  return all.toSorted((a, b) => a.p99 - b.p99)[0] as Round
}

/** How the loop of the server did since this was last asked. */
const turnsOf = ({ child }: Server): Promise<Turns> => new Promise((resolve) => {
  child.once('message', (message) => resolve(message as Turns))
  child.send('turns')
})

const newPod = JSON.stringify(podOf({ generateName: 'n-', namespace: 'other' }))
const floods = [
  { name: 'lists', path: collection, extra: () => [] as string[] },
  { name: 'creates', path: '/api/v1/namespaces/other/pods', extra: () => script('create', 'wrk.method = "POST"', 'wrk.headers["Content-Type"] = "application/json"', `wrk.body = [==[${newPod}]==]`) },
  { name: 'gets', path: `${collection}/${nameOf(9)}`, extra: () => [] as string[] },
] as const

const line = (mode: string, flood: string, values: readonly string[]) => console.log(`${mode.padEnd(10)} ${flood.padEnd(8)} ${values.map((value) => value.padStart(8)).join(' ')}`)
const ms = (value: number) => `${value.toFixed(1)}ms`

async function measureAll(mode: string): Promise<void> {
  const server = await start(mode)
  await measure(server)
  const calm = await best(server)
  const show = (name: string, { p50, p99, worst, turns }: Round, rate: string) =>
    line(mode, name, [ms(p50), ms(p99), ms(worst), (p99 / calm.p99).toFixed(2), ms(turns.late), ms(turns.collection), `${(turns.collecting * 100).toFixed(0)}%`, rate])
  show('nobody', calm, '')
  for (const { name, path, extra } of floods.filter((flood) => flood.name.includes(only))) {
    const flood = wrk(back, server.tokens.flood, `-c${connections}`, `-d${seconds * rounds + 2}s`, ...extra(), server.url + path)
    await sleep(1000)
    const round = await best(server)
    const text = await flood
    const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1]
    show(name, round, `${Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]).toFixed(0)}/s${refused ? ` (${refused} refused)` : ''}`)
  }
  const gone = new Promise((resolve) => server.child.removeAllListeners('exit').once('exit', resolve))
  server.child.disconnect()
  await gone
}

try {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')], { stdio: 'ignore' })
  line('turns', 'flood', ['p50', 'p99', 'worst', 'p99 ×', 'loop p99', 'gc p99', 'gc', 'flood'])
  for (const mode of ['fair', 'first-come'].filter((name) => name.includes(onlyMode))) await measureAll(mode)
} finally {
  rmSync(base, { recursive: true, force: true })
}
