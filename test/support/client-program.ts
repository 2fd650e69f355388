/** A program on another language's Kubernetes client, run against a control plane with one node that says it runs what it is given. */
import { afterAll, beforeAll, expect } from 'vitest'
import { startTestControlPlane } from './control-plane.ts'
import type { TestControlPlane } from './control-plane.ts'
import { run } from './host.ts'
import { startPretendNode } from './pretend-node.ts'
import type { PretendNode } from './pretend-node.ts'

/**
 * Starts the control plane before the tests of the file and ends it after them. What it returns runs the program with the path of a kubeconfig as
 * its argument, and resolves with what the program printed as JSON; it fails when the program did, or complained.
 */
export function clientProgram(interpreter: string, program: string): () => Promise<unknown> {
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
  return async () => {
    const { code, stdout, stderr } = await run(interpreter, [program, cluster.kubeconfig])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return JSON.parse(stdout) as unknown
  }
}
