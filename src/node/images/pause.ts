/**
 * The sandbox ("pause") program, assembled here: a static ELF file of a few hundred bytes that holds a pod's namespaces
 * open. It blocks every signal and waits for them one by one: SIGTERM and SIGINT end it, anything else (SIGCHLD) makes it
 * reap the zombies it inherited as process 1 of a shared process namespace. So a node needs no registry to run its first pod.
 */

/** The architectures a pause program exists for, by Go's name (OCI images) with the ELF machine number. */
const machines = { amd64: 0x3e, arm64: 0xb7 } as const

const baseAddress = 0x400000
const headerBytes = 64 + 56

/** The program of this machine's architecture unless told otherwise. Throws for one that has none. */
export function pauseProgram(architecture: string = goArchitecture()): Buffer {
  if (architecture === 'amd64') return elf(machines.amd64, amd64Code())
  if (architecture === 'arm64') return elf(machines.arm64, arm64Code())
  throw new Error(`no pause program for the architecture ${architecture}: amd64 and arm64 have one`)
}

/** This machine's architecture by Go's name. */
export function goArchitecture(): string {
  return ({ x64: 'amd64', ia32: '386' } as Record<string, string>)[process.arch] ?? process.arch
}

/** One loadable, executable segment: the headers, the code, and the signal mask at the code's end. */
function elf(machine: number, code: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
  header.writeUInt16LE(2, 16) // ET_EXEC
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(baseAddress + headerBytes), 24) // entry
  header.writeBigUInt64LE(64n, 32) // program headers follow
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(1, 56)
  header.writeUInt32LE(1, 64) // PT_LOAD
  header.writeUInt32LE(5, 68) // readable, executable
  header.writeBigUInt64LE(BigInt(baseAddress), 80)
  header.writeBigUInt64LE(BigInt(baseAddress), 88)
  header.writeBigUInt64LE(BigInt(headerBytes + code.length), 96)
  header.writeBigUInt64LE(BigInt(headerBytes + code.length), 104)
  header.writeBigUInt64LE(0x1000n, 112)
  return Buffer.concat([header, code])
}

function amd64Code(): Buffer {
  return Buffer.from([
    'b80e000000', '31ff', '488d3553000000', '31d2', '41ba08000000', '0f05', //  rt_sigprocmask(SIG_BLOCK, mask, 0, 8)
    'b880000000', '488d3d3d000000', '31f6', '31d2', '41ba08000000', '0f05', //  next: signal = rt_sigtimedwait(mask, 0, 0, 8)
    '83f802', '7423', '83f80f', '741e', //                                      SIGINT or SIGTERM: goto exit
    'b83d000000', '48c7c7ffffffff', '31f6', 'ba01000000', '4531d2', '0f05', //  reap: wait4(-1, 0, WNOHANG, 0)
    '85c0', '7fe4', 'ebc0', //                                                  reaped one: goto reap; else goto next
    'b83c000000', '31ff', '0f05', //                                            exit: exit(0)
    'ffffffffffffffff', //                                                      mask
  ].join(''), 'hex')
}

function arm64Code(): Buffer {
  const words: number[] = []
  const movz = (register: number, value: number) => words.push((0xd2800000 | (value << 5) | register) >>> 0)
  const minusOne = (register: number) => words.push((0x92800000 | register) >>> 0)
  const adr = (register: number, label: number) => {
    const offset = (label - words.length) * 4
    words.push((0x10000000 | ((offset & 3) << 29) | (((offset >> 2) & 0x7ffff) << 5) | register) >>> 0)
  }
  const compare = (value: number) => words.push((0x7100001f | (value << 10)) >>> 0) // cmp w0, value
  const branch = (label: number) => words.push((0x14000000 | ((label - words.length) & 0x3ffffff)) >>> 0)
  const branchIf = (condition: number, label: number) => words.push((0x54000000 | (((label - words.length) & 0x7ffff) << 5) | condition) >>> 0)
  const call = (number: number) => { movz(8, number); words.push(0xd4000001) }
  const [next, reap, exit, mask, equal, greater] = [6, 16, 25, 28, 0, 12] as const

  movz(0, 0); adr(1, mask); movz(2, 0); movz(3, 8); call(135) //       rt_sigprocmask(SIG_BLOCK, mask, 0, 8)
  adr(0, mask); movz(1, 0); movz(2, 0); movz(3, 8); call(137) //       next: rt_sigtimedwait(mask, 0, 0, 8)
  compare(2); branchIf(equal, exit); compare(15); branchIf(equal, exit)
  minusOne(0); movz(1, 0); movz(2, 1); movz(3, 0); call(260) //        reap: wait4(-1, 0, WNOHANG, 0)
  compare(0); branchIf(greater, reap); branch(next)
  movz(0, 0); call(93) //                                              exit: exit(0)
  words.push(0xffffffff, 0xffffffff) //                                mask
  const code = Buffer.alloc(words.length * 4)
  words.forEach((word, i) => code.writeUInt32LE(word, i * 4))
  return code
}
