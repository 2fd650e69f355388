/**
 * Shuffle sharding: which few of the queues belong to a flow. Two flows rarely share all of them, so when one floods its own,
 * every other flow still has short ones.
 */
import { createHash } from 'node:crypto'

/** The first eight bytes of a hash of the flow's name. */
function hashOf(text: string): bigint {
  return createHash('sha256').update(text).digest().readBigUInt64LE(0)
}

/** Deals `size` different numbers below `queues` to a flow, always the same ones. */
export function dealHand(flow: string, queues: number, size: number): readonly number[] {
  const left = Array.from({ length: queues }, (_, i) => i)
  let entropy = hashOf(flow)
  const hand: number[] = []
  while (hand.length < size && left.length > 0) {
    const count = BigInt(left.length)
    hand.push(...left.splice(Number(entropy % count), 1))
    // One hash is not enough for a large deck: hash again.
    entropy = entropy < count ** 2n ? hashOf(`${flow}/${hand.length}`) : entropy / count
  }
  return hand
}
