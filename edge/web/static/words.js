// Every word of the page in both languages, and how money and time are written.

const WORDS = {
  faults: ["故障", "Faults"],
  lanes: ["车道", "Lanes"],
  occupancy: ["车位", "Stalls"],
  deliveries: ["上传", "Deliveries"],
  recent: ["最近 20 条", "Last 20"],
  evidence: ["抓拍图片", "Pictures"],
  captured: ["{1} 辆中 {0} 辆有图", "{0} of {1} passages have one"],
  pictures_missing: ["缺 {0}", "{0} missing"],
  pictures_failed: ["不可用 {0}", "{0} unusable"],
  pictures_small: ["放大 {0}", "{0} scaled up"],
  plates_narrow: ["车牌不足 100 像素 {0}/{1}", "plate under 100 px {0}/{1}"],
  plates_unknown: ["车牌宽度未知", "plate widths unknown"],
  search_label: ["查上报: 车牌或其一部分, 日期可不填", "Was it reported: plate or a part of it, day optional"],
  search: ["查询", "Search"],
  searching: ["正在查询…", "Searching…"],
  search_failed: ["查询失败, 请再试", "The search failed, try again"],
  none_found: ["没有上传记录; 刚通过或等待校时的车还没有记录", "No delivery; a car that has just passed or waits for the clock has none yet"],
  with_picture: ["看图片", "Picture"],
  counters: ["计数器", "Counters"],
  close: ["关闭", "Close"],
  connecting: ["正在连接…", "Connecting…"],
  connecting_detail: ["等待车场盒子的第一份数据", "Waiting for the box's first data"],
  broken: ["连接中断", "Connection lost"],
  broken_detail: ["以下是 {0} 的状态, 不是现在的。正在重连…", "What you see is from {0}, not from now. Reconnecting…"],
  broken_never: ["还没有收到任何数据。正在重连…", "No data has come yet. Reconnecting…"],
  all_well: ["全部正常", "All normal"],
  all_well_detail: ["{0} 条车道 · 余 {1} 位", "{0} lanes · {1} stalls free"],
  one_fault: ["1 个故障", "1 fault"],
  n_faults: ["{0} 个故障", "{0} faults"],
  n_notices: ["{0} 项需留意", "{0} to look at"],
  lane_dead: ["车道程序无应答", "The lane program does not answer"],
  lane_dead_effect: ["车道状态未知; 下面是最后一次收到的画面", "Lane states unknown; below is the last that was received"],
  lane_dead_todo: ["查看 parkbox-lane 服务和日志; 道闸可手动操作", "Check the lane service and its journal; work the barrier by hand"],
  lane_dead_device: ["车场盒子", "Parking box"],
  clock_ok: ["已校时", "clock true"],
  clock_bad: ["时钟未校准", "clock not set"],
  link_offline: ["{0} 离线", "{0} offline"],
  aside_notice: ["{0} 条上传被城市平台退回", "{0} deliveries set aside"],
  effect: ["影响", "Effect"],
  todo: ["处理", "To do"],
  since: ["自 {0}", "since {0}"],
  detail: ["详情", "Detail"],
  in: ["入口", "Entry"],
  out: ["出口", "Exit"],
  arm_down: ["闸杆 落下", "Arm down"],
  arm_up: ["闸杆 抬起", "Arm up"],
  arm_moving: ["闸杆 动作中", "Arm moving"],
  arm_unknown: ["闸杆 位置未知", "Arm position unknown"],
  asked_up: ["已命令抬起 ↑", "commanded up ↑"],
  asked_down: ["已命令落下 ↓", "commanded down ↓"],
  arrival: ["触发地感", "Arrival loop:"],
  safety: ["防砸地感", "Safety loop:"],
  loop_true: ["有车", "car"],
  loop_false: ["无车", "clear"],
  loop_unknown: ["未知", "unknown"],
  at_arm: ["闸前车辆", "At the arm"],
  nobody: ["闸前无车", "No car at the arm"],
  who_knows: ["闸前有无车辆未知", "Unknown whether a car is at the arm"],
  unread: ["车牌未识别", "Plate not read"],
  due: ["应缴", "To pay"],
  last_read: ["最近识别", "Last read"],
  never_read: ["尚无识别", "No read yet"],
  no_plate: ["无牌车", "No plate"],
  no_picture: ["无图片", "No picture"],
  picture_of: ["{0} 的抓拍图片, 点按放大", "Picture of {0}, press to enlarge"],
  passed: ["已通行 {0} 辆", "{0} passed"],
  free: ["余 {0} 位", "{0} free"],
  over: ["超出 {0} 辆", "{0} over"],
  level_free: ["空闲", "Free"],
  level_saturated: ["饱和", "Saturated"],
  level_full: ["满位", "Full"],
  parked_of: ["在场 {0} / 总车位 {1}", "{0} parked of {1} stalls"],
  waiting: ["待上传", "Waiting"],
  accepted: ["已接收", "Accepted"],
  set_aside: ["已搁置", "Set aside"],
  held_for_clock: ["待校时", "Held for clock"],
  last_ok: ["最近成功 {0}", "last accepted {0}"],
  never_ok: ["尚无成功", "nothing accepted yet"],
  none_recent: ["尚无上传记录", "Nothing sent yet"],
  attempts: ["第 {0} 次", "try {0}"],
  about: ["盒子版本 {0} · 账本序号 {1}", "box version {0} · ledger at {1}"],
  carIn: ["入场", "Entry"],
  carOut: ["出场", "Exit"],
  carcharge: ["缴费", "Payment"],
  parkinfo: ["车场信息", "Lot data"],
  parkininfo: ["车场信息", "Lot data"],
  parkspace: ["车位数", "Stall count"],
  qingdao: ["青岛", "Qingdao"],
  shenzhen: ["深圳", "Shenzhen"],
  oss: ["图片存储", "Pictures"],
  second_ago: ["{0} 秒前", "{0} s ago"],
  minute_ago: ["{0} 分钟前", "{0} min ago"],
  hour_ago: ["{0} 小时前", "{0} h ago"],
};
const KEPT_AS = "parkbox-language";

let english = remembered() === "en";

export const isEnglish = () => english;

export function setEnglish(wanted) {
  english = wanted;
  try {
    localStorage.setItem(KEPT_AS, wanted ? "en" : "zh");
  } catch {
    // A browser that forbids storage: the choice lasts until the page is closed.
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null; // storage forbidden: Chinese first
  }
}

// A word of the page; {0}, {1} are filled in. A name that the page does not know stands for itself.
export function word(key, ...values) {
  const pair = Object.hasOwn(WORDS, key) ? WORDS[key] : [key, key];
  return pair[english ? 1 : 0].replace(/\{(\d)\}/g, (_, index) => String(values[index]));
}

// The `zh`/`en` pair that the box sends: `said(fault, "effect_")`.
export const said = (object, prefix = "") => (english && object[`${prefix}en`]) || object[`${prefix}zh`];

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" });

// The lot's time of day, whatever zone the phone is in; with the date when that is another day than `nowMs`.
export function clock(ms, nowMs = ms) {
  const day = DAY.format(ms);
  return day === DAY.format(nowMs) ? CLOCK.format(ms) : `${day.slice(5)} ${CLOCK.format(ms)}`;
}

export function ago(ms, nowMs) {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (seconds < 60) return word("second_ago", seconds);
  if (seconds < 3600) return word("minute_ago", Math.floor(seconds / 60));
  return word("hour_ago", Math.floor(seconds / 3600));
}

// Integer fen to yuan without floating point.
export function yuan(fen) {
  const cents = String(Math.abs(fen) % 100).padStart(2, "0");
  return `${fen < 0 ? "-" : ""}¥${Math.trunc(Math.abs(fen) / 100)}.${cents}`;
}
