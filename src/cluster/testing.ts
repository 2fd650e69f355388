/**
 * A real API server for tests, in the caller's process: no containers, no root, nothing on disk but a kubeconfig.
 * For users' own operators (`import { startTestServer } from 'skiff/test'`): what envtest is for Go projects.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiextensions } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import { systemClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import type { Logger } from '../machinery/log.ts'
import { parseYamlDocuments } from '../machinery/yaml.ts'
import { createMemoryStore } from '../store/memory.ts'
import { startApi } from './api.ts'
import { kubeconfigOf } from './kubeconfig.ts'
import { shortLivedPki } from './pki.ts'
import type { Settings } from './settings.ts'

export interface TestServerOptions {
  /** Default: any free port. */
  readonly port?: number
  readonly log?: Logger
}

export interface TestServer {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string
  /** The administrator's kubeconfig, as text and as a file that is removed with the server. */
  readonly kubeconfig: string
  readonly kubeconfigFile: string
  /** The administrator's client in this process: no sockets, the same authorization, admission and validation. */
  readonly client: Client
  /** A client that acts as somebody else: for testing an operator with its own rights. */
  clientFor(user: string, groups?: readonly string[]): Client
  /** Creates CustomResourceDefinitions, given as objects or as YAML (one or more documents); resolves when their kinds can be used. */
  install(...definitions: readonly (string | object)[]): Promise<void>
  stop(): Promise<void>
}

const { customresourcedefinitions } = apiextensions

/** How long a kind may take to be established. */
const establishing = 10_000

async function install(client: Client, definitions: readonly (string | object)[]): Promise<void> {
  const objects = definitions.flatMap((definition) => (typeof definition === 'string' ? parseYamlDocuments(definition) : [definition]))
  const made = await Promise.all(objects.map((object) => client.create(customresourcedefinitions, object as never)))
  for (const { metadata: { name = '' } } of made) {
    const watch = client.watch(customresourcedefinitions, { fieldSelector: `metadata.name=${name}`, signal: AbortSignal.timeout(establishing) })
    let established = false
    for await (const { object } of watch) {
      established = object.status.conditions.some((c) => c.type === 'Established' && c.status === 'True')
      if (established) break
    }
    if (!established) throw new Error(`the definition ${name} was not established: ${(await client.get(customresourcedefinitions, name)).status.conditions.map((c) => c.message).join('; ')}`)
  }
}

/** Starts an API server on loopback over a memory store; resolves when it answers. No controllers run: what a test writes stays as it is. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-test-server-'))
  const settings: Settings = {
    name: 'skiff-test', nodeName: 'localhost', nodeAddress: '127.0.0.1', port: options.port ?? 0, kubeletPort: 10250,
    clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDns: '10.96.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 32767],
  }
  const store = createMemoryStore()
  try {
    const pki = shortLivedPki(settings)
    const api = await startApi({ settings, pki, store, clock: systemClock, log: options.log ?? quiet, address: '127.0.0.1' })
    const url = `https://127.0.0.1:${api.server.port}`
    const kubeconfig = kubeconfigOf({ name: settings.name, server: url, ca: pki.ca.cert, user: pki.admin })
    const kubeconfigFile = join(directory, 'kubeconfig')
    writeFileSync(kubeconfigFile, kubeconfig, { mode: 0o600 })
    return {
      url,
      kubeconfig,
      kubeconfigFile,
      client: api.clientFor('kubernetes-admin', ['system:masters']),
      clientFor: api.clientFor,
      install: (...definitions) => install(api.server.client, definitions),
      async stop() {
        await api.stop()
        await store.close()
        rmSync(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}
