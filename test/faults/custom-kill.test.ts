/** Custom kinds and their objects outlive a control plane that is killed. */
import { afterAll, expect, it } from 'vitest'
import { freePort } from '../support/control-plane.ts'
import { run } from '../support/host.ts'
import { killedPlane } from '../support/killed.ts'

const { dir, kubeconfig, start, kill, remove } = killedPlane('custom-kill')
afterAll(remove)

const kubectl = (args: readonly string[], input?: string) => run('kubectl', args, { env: { KUBECONFIG: kubeconfig, HOME: dir }, ...(input === undefined ? {} : { input }) })
const must = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await kubectl(args, input)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com', scope: 'Namespaced', names: { plural: 'crontabs', kind: 'CronTab' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { n: { type: 'integer' } } } } }],
  },
}
const list = (from: number, count: number) => ({
  apiVersion: 'v1', kind: 'List',
  items: Array.from({ length: count }, (_, i) => ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: `c${from + i}` }, n: from + i })),
})
const names = async () => (await must(['get', 'crontabs', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.n} {end}'])).trim().split(' ').toSorted()

it('custom objects that were acknowledged are there after kill -9, and their kind is served at once', async () => {
  const port = await freePort()
  await start(port)
  await must(['apply', '-f', '-'], JSON.stringify(definition))
  await must(['wait', '--for', 'condition=Established', 'crd/crontabs.stable.example.com', '--timeout=10s'])
  const acknowledged = new Set<string>()
  let from = 0
  for (let round = 0; round < 3; round++) {
    const storm = (async () => {
      for (;;) {
        const { code, stdout } = await kubectl(['create', '-f', '-'], JSON.stringify(list(from, 20)))
        for (const [, n] of stdout.matchAll(/crontab\.stable\.example\.com\/c(\d+) created/g)) acknowledged.add(`c${n}=${n}`)
        from += 20
        if (code !== 0) return
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 1000))
    await kill()
    await storm
    await start(port)
    const found = await names()
    for (const name of acknowledged) expect(found).toContain(name)
  }
  expect(acknowledged.size).toBeGreaterThan(0)
  await must(['delete', 'crd', 'crontabs.stable.example.com', '--timeout=30s'])
  expect((await kubectl(['get', '--raw', '/apis/stable.example.com/v1/crontabs'])).stderr).toContain('the server could not find the requested resource')
}, 120_000)
