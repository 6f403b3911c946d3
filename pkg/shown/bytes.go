package shown

import "fmt"

// Bytes is a size as people read it: "512 B", "64 KiB", "2.0 GiB".
func Bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, units := float64(n)/unit, "KMGTPE"
	for size >= unit-0.5 && len(units) > 1 {
		size, units = size/unit, units[1:]
	}
	if size < 9.95 {
		return fmt.Sprintf("%.1f %ciB", size, units[0])
	}
	return fmt.Sprintf("%.0f %ciB", size, units[0])
}
