// Words of updates and backups, as in words.js.

export const UPDATE_WORDS = {
  update: ["更新与备份", "Update and backup"],
  update_version: ["程序版本 {0}", "Version {0}"],
  update_file: ["更新包 (.raucb)", "Bundle (.raucb)"],
  update_hint: ["写入成功后盒子会重启, 约两分钟不抬杆; 自检不通过则自动退回", "When it is written the box restarts and opens for nobody for about two minutes; it goes back by itself when it is not well"],
  update_start: ["上传并安装", "Send and install"],
  update_sent: ["已上传 {0}%", "{0}% sent"],
  update_flashed: ["出厂版本", "as flashed"],
  update_running: ["运行中", "running"],
  update_next: ["下次启动", "next start"],
  update_unconfirmed: ["未确认", "not confirmed"],
  backup_hint: ["备份已加密; 请存放在盒子之外, 并保管好口令", "Backups are sealed; keep them, and their passphrase, elsewhere"],
  backup_download: ["下载最新备份", "Newest backup"],
  did_update_install: ["安装更新", "Install an update"],
  did_backup_export: ["下载备份", "Backup taken away"],
};
