/** The Ruby client of Kubernetes, as Debian packages it, against the API server: programs nobody here wrote. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clientProgram } from '../../support/client-program.ts'

// Debian's own interpreter: the package belongs to it.
const told = clientProgram('/usr/bin/ruby', join(import.meta.dirname, 'ruby.rb'))

it('a Ruby program works as it does elsewhere', async () => {
  expect(await told()).toEqual({
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
