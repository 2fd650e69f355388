/**
 * Asks two servers the same and writes down what the first answers, or null where the second answers something else:
 * `node test/conformance/recorded/record.ts KUBECONFIG OTHER-KUBECONFIG [suite…]`. What differs is printed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { deepEqual } from '../../../src/machinery/meta.ts'
import { target } from './exchange.ts'
import { answers, install, recorded, uninstall, type Suite } from './suite.ts'
import { startWebhook } from './webhook.ts'

const [original = '', other = '', ...names] = process.argv.slice(2)
const servers = [target(original), target(other)] as const
const folder = new URL('answers/', import.meta.url)
mkdirSync(folder, { recursive: true })

for (const name of names.length > 0 ? names : ['definitions', 'objects', 'writes', 'apply', 'discovery', 'openapi', 'reading', 'tables', 'rules', 'conversion', 'integers', 'expressions']) {
  const suite = ((await import(`./cases/${name}.ts`)) as { default: Suite }).default
  for (const server of servers) {
    await uninstall(server, suite.definitions ?? [])
    await install(server, suite.definitions ?? [])
  }
  const webhook = suite.webhook ? await startWebhook() : undefined
  const lines: string[] = []
  let requests = 0
  let same = 0
  for (const [title, steps] of Object.entries(suite.cases)) {
    const [first, second] = (await Promise.all(servers.map((server) => answers(server, steps, webhook)))).map((list) => JSON.parse(JSON.stringify(list.map((answer) => recorded(answer, suite)))) as unknown[])
    requests += steps.length
    first?.forEach((answer, i) => {
      if (!deepEqual(answer, second?.[i])) console.log(`${title} #${i} ${steps[i]?.slice(0, 2).join(' ')}\n  ${JSON.stringify(answer)}\n  ${JSON.stringify(second?.[i])}`)
    })
    const alike = first?.map((answer, i) => (deepEqual(answer, second?.[i]) ? answer : null)) ?? []
    same += alike.filter((answer) => answer !== null).length
    lines.push(`${JSON.stringify(title)}: ${JSON.stringify(alike)}`)
  }
  webhook?.stop()
  writeFileSync(new URL(`${name}.json`, folder), `{\n${lines.join(',\n')}\n}\n`)
  console.log(`${name}: ${same} of ${requests} answers the same`)
}
for (const server of servers) server.stop()
