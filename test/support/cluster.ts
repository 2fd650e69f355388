/** A real cluster for a test: `skiff up` on a host of its own, kubectl against it, `skiff down --purge` at the end. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createTestHost, run } from './host.ts'
import type { Finished, TestHost } from './host.ts'

export const root = resolve(import.meta.dirname, '../..')

export interface TestCluster {
  readonly name: string
  readonly host: TestHost
  readonly dataDir: string
  readonly kubeconfig: string
  /** Runs kubectl; throws with what it said when it fails. */
  kubectl(...args: string[]): Promise<string>
  /** Runs kubectl and says how it ended. */
  tryKubectl(args: readonly string[], input?: string): Promise<Finished>
  /** Runs `skiff <command> --name … --data-dir …` on the host. */
  skiff(...args: string[]): Promise<Finished>
  up(...args: string[]): Promise<Finished>
  /**
   * Ends the cluster and removes everything it left. Throws when a component of it was refused something: each has the rights of its role
   * only, and must not ask for more. `expected`: refusals that the test caused itself.
   */
  destroy(expected?: RegExp): Promise<void>
}

/** Makes the place for a cluster; `up` boots it. */
export function prepareCluster(name: string, address?: string): TestCluster {
  const host = createTestHost(name, address)
  const dataDir = mkdtempSync(join(tmpdir(), `skiff-${name}-`))
  const kubeconfig = join(dataDir, 'kubeconfig')
  const where = ['--name', host.namespace, '--data-dir', dataDir]
  const program = join(root, 'skiff')
  const tryKubectl = (args: readonly string[], input?: string) =>
    host.run('kubectl', args, { env: { KUBECONFIG: kubeconfig, KUBECTL_COMMAND_HEADERS: 'false' }, ...(input === undefined ? {} : { input }) })
  const skiff = (...args: string[]) => {
    const words = args[0] === 'image' ? 2 : 1
    return host.run(program, [...args.slice(0, words), ...where, ...args.slice(words)])
  }
  return {
    name: host.namespace,
    host,
    dataDir,
    kubeconfig,
    tryKubectl,
    skiff,
    async kubectl(...args) {
      const finished = await tryKubectl(args)
      if (finished.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${finished.stderr.trim()}`)
      return finished.stdout
    },
    up: (...args) => skiff('up', '--yes', '--no-merge', '--node-ip', host.address, ...args),
    async destroy(expected) {
      const refused = refusalsIn(join(dataDir, 'skiff.log')).filter((line) => !expected?.test(line))
      const finished = await skiff('down', '--purge')
      host.remove()
      if (finished.code !== 0) throw new Error(`skiff down: ${finished.stderr}`)
      rmSync(dataDir, { recursive: true, force: true })
      if (refused.length > 0) throw new Error(`components of the cluster were refused:\n${refused.join('\n')}`)
    },
  }
}

/** A cluster that is up. Throws with the end of its log when it does not boot. */
export async function startCluster(name: string, address?: string): Promise<TestCluster> {
  const cluster = prepareCluster(name, address)
  const finished = await cluster.up()
  if (finished.code !== 0) {
    const log = tail(join(cluster.dataDir, 'skiff.log'))
    await cluster.destroy().catch(() => undefined)
    throw new Error(`skiff up: ${finished.stdout}${finished.stderr}\n${log}`)
  }
  return cluster
}

/** The lines of the log that tell of a component which asked for what its role does not allow. */
function refusalsIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter((line) => line.includes('"a component was refused"'))
  } catch {
    return [] // it was never up, or its data is purged already
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')
  } catch {
    return '(it wrote no log)'
  }
}

/** Builds an example's image outside the cluster's network namespace: Debian's packages are fetched over the real one. */
export async function buildExample(cluster: TestCluster, tag: string, context: string): Promise<void> {
  const finished = await run(join(root, 'skiff'), ['image', 'build', '--name', cluster.name, '--data-dir', cluster.dataDir, '-t', tag, join(root, context)], { timeoutMs: 300_000 })
  if (finished.code !== 0) throw new Error(`skiff image build: ${finished.stdout}${finished.stderr}`)
}
