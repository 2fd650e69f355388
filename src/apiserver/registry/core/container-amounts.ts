/** What the containers of a pod ask for together. */
import type { core } from '../../../api/index.ts'
import type { Quantity } from '../../../machinery/quantity.ts'
import { readQuantity } from '../amounts.ts'

type Amounts = Map<string, Quantity>

function add(to: Amounts, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const name in amounts) {
    const quantity = readQuantity(amounts[name])
    if (quantity) to.set(name, to.get(name)?.add(quantity) ?? quantity)
  }
}

function raise(to: Amounts, amounts: Amounts): void {
  for (const [name, quantity] of amounts) {
    const known = to.get(name)
    if (!known || known.compare(quantity) < 0) to.set(name, quantity)
  }
}

/** Main containers and sidecars run together; init containers run one at a time, beside the sidecars that were started before them. */
export function containerAmounts(spec: core.PodSpec, kind: 'requests' | 'limits'): ReadonlyMap<string, Quantity> {
  const running: Amounts = new Map()
  for (const container of spec.containers) add(running, container.resources[kind])
  const starting: Amounts = new Map()
  const sidecars: Amounts = new Map()
  for (const { resources, restartPolicy } of spec.initContainers ?? []) {
    const now = new Map(sidecars)
    add(now, resources[kind])
    raise(starting, now)
    if (restartPolicy !== 'Always') continue
    add(running, resources[kind])
    add(sidecars, resources[kind])
  }
  raise(running, starting)
  return running
}
