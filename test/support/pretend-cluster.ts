/** A control plane for all tests of a file, with one node that says it runs what it is given. */
import { afterAll, beforeAll } from 'vitest'
import { startTestControlPlane } from './control-plane.ts'
import type { TestControlPlane } from './control-plane.ts'
import { startPretendNode } from './pretend-node.ts'
import type { PretendNode } from './pretend-node.ts'

/** Starts it before the tests of the file and ends it after them. What it returns is to be called in tests and hooks: there is no cluster earlier. */
export function pretendCluster(): () => { readonly cluster: TestControlPlane; readonly node: PretendNode } {
  let cluster: TestControlPlane
  let node: PretendNode
  beforeAll(async () => {
    cluster = await startTestControlPlane()
    node = await startPretendNode(cluster.plane.clientFor('test-node', ['system:masters']), 'node-1')
  })
  afterAll(async () => {
    node?.stop()
    await cluster?.stop()
  })
  return () => ({ cluster, node })
}
