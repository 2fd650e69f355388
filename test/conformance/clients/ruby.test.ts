/** The Ruby client of Kubernetes, as Debian packages it, against the API server: programs nobody here wrote. */
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

it('a Ruby program works as it does elsewhere', async () => {
  // Debian's own interpreter: the package belongs to it.
  const { code, stdout, stderr } = await run('/usr/bin/ruby', [join(import.meta.dirname, 'ruby.rb'), cluster.kubeconfig])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    discovered: true,
    version: true,
    replaced: { a: '2' },
    conflict: {
      code: 409, kind: 'Kubeclient::HttpError',
      message: 'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    },
    merged: { a: '2', b: '3' },
    'json patched': { b: '3' },
    patched: { set: 'x', more: 'y' },
    missing: { code: 404, kind: 'Kubeclient::ResourceNotFoundError', message: 'configmaps "two" not found' },
    twice: { code: 409, kind: 'Kubeclient::HttpError', message: 'configmaps "one" already exists' },
    'apply conflict': 409,
    applied: { b: '4' },
    pages: ['page-0', 'page-1', 'page-2', 'page-3', 'page-4'],
    raw: 'ConfigMapList',
    told: [['ADDED', 'told'], ['DELETED', 'told']],
    ready: true,
    pods: ['Running', 'Running'],
    cron: '@daily',
    gone: true,
  })
})
