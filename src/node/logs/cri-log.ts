/** The log format of container runtimes: `<time> <stdout|stderr> <P|F> <text>`; P marks a part of a longer line. */

export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** The rest of the line is in the next entry. */
  readonly partial: boolean
  /** With its newline when it is a whole line. */
  readonly text: Buffer
}

const space = 0x20

/** One entry, without its newline. Undefined for what is not in the format. */
export function parseLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  const third = line.indexOf(space, second + 1)
  if (first < 0 || second < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const tags = line.toString('latin1', second + 1, third < 0 ? line.length : third).split(':')
  const partial = tags[0] === 'P'
  const text = third < 0 ? Buffer.alloc(0) : line.subarray(third + 1)
  return { time: line.toString('latin1', 0, first), stream, partial, text: partial ? text : Buffer.concat([text, newline]) }
}

export const newline = Buffer.from('\n')
