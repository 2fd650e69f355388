/** A control plane without nodes in the test's own process: memory store, real HTTPS, real certificates, on loopback. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startControlPlane } from '../../src/cluster/control-plane.ts'
import type { ControlPlane } from '../../src/cluster/control-plane.ts'
import { encrypted } from '../../src/cluster/encryption.ts'
import { kubeconfigOf } from '../../src/cluster/kubeconfig.ts'
import { ensurePki } from '../../src/cluster/pki.ts'
import type { Pki } from '../../src/cluster/pki.ts'
import type { Settings } from '../../src/cluster/settings.ts'
import type { ApiServerArguments } from '../../src/cluster/apiserver-arguments.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet, type Logger } from '../../src/machinery/log.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { run } from './host.ts'
import type { Finished } from './host.ts'

export interface TestControlPlane {
  readonly plane: ControlPlane
  /** What is stored, as it is stored. */
  readonly store: Store
  readonly url: string
  readonly pki: Pki
  readonly kubeconfig: string
  /** Runs kubectl; throws with what it said when it fails. */
  kubectl(...args: string[]): Promise<string>
  tryKubectl(args: readonly string[], input?: string): Promise<Finished>
  /** Applies a manifest given as text or as an object. */
  apply(manifest: string | object): Promise<string>
  stop(): Promise<void>
}

export interface TestControlPlaneOptions {
  /** What differs from the settings of every test. */
  readonly settings?: Partial<Settings>
  /** Which kubectl to use. */
  readonly kubectl?: string
  /** What happens to the store before anybody sees it. */
  readonly prepare?: (store: Store) => Promise<void>
  /** kube-apiserver's flags; files by absolute path. */
  readonly apiServerArguments?: ApiServerArguments
  /** Who hears what the control plane logs; nobody when left out. */
  readonly log?: Logger
}

/** Starts one on a free port. */
export async function startTestControlPlane(options: TestControlPlaneOptions = {}): Promise<TestControlPlane> {
  const dir = mkdtempSync(join(tmpdir(), 'skiff-plane-'))
  const settings: Settings = {
    name: 'test', nodeName: 'node-1', nodeAddress: '127.0.0.1', port: await freePort(), kubeletPort: 10250,
    clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDns: '10.96.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 32767],
    ...(options.apiServerArguments ? { apiServerArguments: options.apiServerArguments } : {}),
    ...options.settings,
  }
  const { log = quiet } = options
  const pki = ensurePki(join(dir, 'pki'), settings)
  const store = createMemoryStore()
  await options.prepare?.(store)
  const stored = await encrypted(store, { paths: { encryption: join(dir, 'encryption') }, given: settings.apiServerArguments, clock: systemClock, log })
  const plane = await startControlPlane({ settings, pki, store: stored.store, checks: stored.checks, counted: stored.counted, clock: systemClock, log, address: '127.0.0.1', freeze: true })
  const url = `https://127.0.0.1:${settings.port}`
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigOf({ name: 'test', server: url, ca: pki.ca.cert, user: pki.admin }), { mode: 0o600 })
  const program = options.kubectl ?? 'kubectl'
  const tryKubectl = (args: readonly string[], input?: string) =>
    run(program, args, { env: { KUBECONFIG: kubeconfig, HOME: dir }, ...(input === undefined ? {} : { input }) })
  const must = async (args: readonly string[], input?: string) => {
    const finished = await tryKubectl(args, input)
    if (finished.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${finished.stderr.trim()}`)
    return finished.stdout
  }
  return {
    plane,
    store,
    url,
    pki,
    kubeconfig,
    tryKubectl,
    kubectl: (...args) => must(args),
    apply: (manifest) => must(['apply', '-f', '-'], typeof manifest === 'string' ? manifest : JSON.stringify(manifest)),
    async stop() {
      await plane.stop()
      await stored.stop()
      await store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close((error) => (error ? reject(error) : resolve(port)))
    })
  })
}
