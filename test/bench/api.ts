/**
 * What an API call costs: get, list and create over HTTPS, each beside a bare Node HTTPS server that sends the same bytes.
 * Run: `node test/bench/api.ts [seconds]`. Needs wrk (Debian: `apt-get install wrk`).
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { core } from '../../src/api/index.ts'
import { createEdges } from '../../src/apiserver/edges.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'

const run = promisify(execFile)
const seconds = Number(process.argv[2] ?? 3)
const folder = mkdtempSync(join(tmpdir(), 'skiff-bench-'))

function certificate(): { key: string; cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

interface Rate { readonly perSecond: number; readonly p50: string; readonly p99: string }

async function measure(url: string, script?: string): Promise<Rate> {
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, '--latency', ...(script ? ['-s', script] : []), url])
  const number = (pattern: RegExp) => pattern.exec(stdout)?.[1] ?? '?'
  if (/Non-2xx/.test(stdout)) throw new Error(`${url}: ${stdout}`)
  return { perSecond: Number(number(/Requests\/sec:\s+([\d.]+)/)), p50: number(/50%\s+(\S+)/), p99: number(/99%\s+(\S+)/) }
}

/** A server that answers everything with the same bytes, after it has read the request's body. */
async function bare(tls: { key: string; cert: string }, code: number, body: Buffer): Promise<{ url: string; close(): void }> {
  const server = createServer(tls, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(code, { 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => void (server.closeAllConnections(), server.close()) }
}

const configMap = (name: string) => ({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, data: { 'app.conf': 'listen = 8080\nworkers = 4\nlog = info\n'.repeat(6) } })

async function main(): Promise<void> {
  const tls = certificate()
  const store = await openLmdbStore({ path: join(folder, 'store') })
  const edges = createEdges({ serverAddress: () => '127.0.0.1:6443' })
  const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
  const server = await createApiServer({ store, clock: systemClock, log: quiet, tls, edges: async (env) => ({ ...(await edges(env)), authenticate: () => admin }) })
  await server.listen()
  const client = server.clientFor(admin)
  for (const name of ['default', 'other']) await client.create(core.namespaces, { metadata: { name } }).catch(() => undefined)
  for (let i = 0; i < 500; i++) await client.create(core.configmaps, configMap(`m${i}`))

  const post = join(folder, 'post.lua')
  const body = JSON.stringify({ ...configMap(''), metadata: { generateName: 'n-', namespace: 'other' } })
  writeFileSync(post, `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[${body}]==]\n`)
  const calls = [
    { name: 'get', path: '/api/v1/namespaces/default/configmaps/m7', code: 200 },
    { name: 'list of 500', path: '/api/v1/namespaces/default/configmaps', code: 200 },
    { name: 'create', path: '/api/v1/namespaces/other/configmaps', code: 201, script: post },
  ]
  console.log(`${'call'.padEnd(12)} ${'bytes'.padStart(8)} ${'skiff/s'.padStart(9)} ${'p50'.padStart(9)} ${'p99'.padStart(9)} ${'bare/s'.padStart(9)} ${'p50'.padStart(9)} ${'p99'.padStart(9)}  of bare`)
  for (const { name, path, code, script } of calls) {
    const bytes = Buffer.from(await client.raw('/api/v1/namespaces/default/configmaps' + (name === 'list of 500' ? '' : '/m7')))
    const other = await bare(tls, code, bytes)
    const theirs = await measure(other.url, script)
    other.close()
    const ours = await measure(server.url + path, script)
    const columns = [ours.perSecond.toFixed(0), ours.p50, ours.p99, theirs.perSecond.toFixed(0), theirs.p50, theirs.p99].map((c) => c.padStart(9))
    console.log(`${name.padEnd(12)} ${String(bytes.length).padStart(8)} ${columns.join(' ')}  ${((100 * ours.perSecond) / theirs.perSecond).toFixed(0)}%`)
  }
  await server.close()
  await store.close()
}

try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
