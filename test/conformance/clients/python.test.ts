/** The Python client of Kubernetes, as Debian packages it, against the API server: programs nobody here wrote. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestControlPlane } from '../../support/control-plane.ts'
import type { TestControlPlane } from '../../support/control-plane.ts'
import { run } from '../../support/host.ts'
import { startPretendNode } from '../../support/pretend-node.ts'
import type { PretendNode } from '../../support/pretend-node.ts'

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

it('a Python program works as it does elsewhere', async () => {
  // Debian's own interpreter: the package belongs to it.
  const { code, stdout, stderr } = await run('/usr/bin/python3', [join(import.meta.dirname, 'python.py'), cluster.kubeconfig])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    'created at': true,
    replaced: { a: '2' },
    conflict: { code: 409, reason: 'Conflict' },
    patched: { a: '2', b: '3' },
    missing: { code: 404, reason: 'NotFound' },
    twice: { code: 409, reason: 'AlreadyExists' },
    ready: 'MODIFIED',
    scale: 3,
    pods: true,
    told: [['ADDED', 'told'], ['DELETED', 'told']],
    pages: true,
    secret: { word: 'b3Blbg==' },
    cron: '*/5 * * * *',
    service: 'ClusterIP',
    groups: ['admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io'],
    version: '1',
    may: true,
    egg: { size: 3 },
    'bad egg': { code: 422, reason: 'Invalid' },
  })
})
