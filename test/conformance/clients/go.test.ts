/**
 * Go programs on client-go, as Debian's newest suite packages it (so: of this Kubernetes version, or a newer one), against the API server.
 * The programs are in `go/`; what each step of them found wrong is what fails here.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../../support/control-plane.ts'
import type { TestControlPlane } from '../../support/control-plane.ts'
import { genuine } from '../../support/genuine.ts'
import { run } from '../../support/host.ts'
import { startPretendNode } from '../../support/pretend-node.ts'
import type { PretendNode } from '../../support/pretend-node.ts'

const clients = await genuine()

describe.skipIf(clients === undefined)('Go programs', () => {
  let program: string
  let cluster: TestControlPlane
  let node: PretendNode
  // The first build on a machine takes minutes: all of client-go.
  beforeAll(async () => {
    program = await clients!.build(join(import.meta.dirname, 'go'))
    cluster = await startTestControlPlane()
    node = await startPretendNode(cluster.plane.clientFor('test-node', ['system:masters']), 'node-1')
  }, 1_260_000)
  afterAll(async () => {
    node?.stop()
    await cluster?.stop()
  })

  const gates = (features: Readonly<Record<string, boolean>>) => Object.fromEntries(Object.entries(features).map(([name, on]) => [`KUBE_FEATURE_${name}`, String(on)]))
  /** What went wrong in these areas, by step. */
  const wrong = async (areas: readonly string[], features = {}) => {
    const { stdout, stderr } = await run(program, [cluster.kubeconfig, ...areas], { env: { ...gates(features), CLIENTS_KUSTOMIZE: clients!.kustomize }, timeoutMs: 300_000 })
    if (!stdout.startsWith('{')) throw new Error(`${stdout}${stderr}`)
    const steps = Object.entries(JSON.parse(stdout) as Record<string, string>)
    expect(steps.length).toBeGreaterThan(0)
    return Object.fromEntries(steps.filter(([, ended]) => ended !== 'ok'))
  }

  it.each(['typed', 'informers', 'generic', 'identity', 'transport', 'controllers'])('%s', async (area) => {
    expect(await wrong([area])).toEqual({})
  }, 300_000)
  it('informers that list before they watch', async () => expect(await wrong(['informers'], { WatchListClient: false })).toEqual({}), 300_000)
  it('clients that could speak CBOR', async () => expect(await wrong(['typed', 'generic', 'informers'], { ClientsAllowCBOR: true })).toEqual({}), 300_000)
  it('clients that would rather speak CBOR', async () => expect(await wrong(['cbor'], { ClientsAllowCBOR: true, ClientsPreferCBOR: true })).toEqual({}), 300_000)
})
