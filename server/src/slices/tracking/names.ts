import type { Random } from '#kernel/random.ts'

const FIRST =
  'able agile amber bold brave breezy bright brisk calm candid clever cosmic crisp curious daring deft eager early fair fleet fluent fond free fresh gentle glad golden grand hardy honest humble jolly keen kind lively lucid lunar mellow merry mild neat nimble noble patient placid polite proud quick quiet rapid rare ready rosy royal rugged serene sharp silent sincere sleek smooth snowy solid spry steady still stoic sunny swift tidy tranquil upbeat valiant vast vivid warm wise witty'.split(
    ' ',
  )
const SECOND =
  'ant auk bat bear bee bird boar bug calf carp cat chimp cod colt crab crane crow deer dog dolphin dove duck elk ewe falcon finch fish flea fowl fox frog goat goose grouse gull hare hawk hen heron hog horse jay kit koala lamb lark lion loon lynx mink mole moth mouse mule newt otter owl ox panda perch pig pug quail ram rat ray robin roo rook seal shad shark shrew skink skunk sloth slug smelt snail snake sow squid stag stork swan tern toad trout vole wasp whale wolf worm wren yak zebra'.split(
    ' ',
  )

/** For what came without a name: `brisk-heron-412`. */
export function randomName(random: Random): string {
  const pick = (words: string[]) => words[Math.floor(random.next() * words.length)]!
  return `${pick(FIRST)}-${pick(SECOND)}-${Math.floor(random.next() * 1000)}`
}
