/** The Python client of Kubernetes, as Debian packages it, against the API server: programs nobody here wrote. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clientProgram } from '../../support/client-program.ts'

// Debian's own interpreter: the package belongs to it.
const told = clientProgram('/usr/bin/python3', join(import.meta.dirname, 'python.py'))

it('a Python program works as it does elsewhere', async () => {
  expect(await told()).toEqual({
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
