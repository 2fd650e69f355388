/** A program on another language's Kubernetes client, run against a control plane with one node that says it runs what it is given. */
import { expect } from 'vitest'
import { run } from './host.ts'
import { pretendCluster } from './pretend-cluster.ts'

/**
 * Starts the control plane before the tests of the file and ends it after them. What it returns runs the program with the path of a kubeconfig as
 * its argument, and resolves with what the program printed as JSON; it fails when the program did, or complained.
 */
export function clientProgram(interpreter: string, program: string): () => Promise<unknown> {
  const started = pretendCluster()
  return async () => {
    const { code, stdout, stderr } = await run(interpreter, [program, started().cluster.kubeconfig])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return JSON.parse(stdout) as unknown
  }
}
