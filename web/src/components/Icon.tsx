// Line icons of one weight.

const paths = {
  upload: "M12 16V5m0 0-4 4m4-4 4 4M5 16v3h14v-3",
  camera: "M4 8h3l1.5-2.5h7L17 8h3v11H4zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3 20 20",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  similar: "M4 4h7v9H4zM13 11h7v9h-7zM15 4h5v4M4 16v4h5",
  out: "M9 6h9v9M18 6 6 18",
  down: "M6 9l6 6 6-6",
  check: "M5 12.5 10 17l9-10",
  copy: "M9 9h10v11H9zM5 15V4h10",
  crop: "M7 3v14h14M3 7h14v14",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  model: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  filter: "M4 6h16M7 12h10M10 18h4",
  heart: "M12 19.5C5.5 15 4 12 4 9.2A4.2 4.2 0 0 1 12 7.4a4.2 4.2 0 0 1 8 1.8c0 2.8-1.5 5.8-8 10.3z",
  up: "M8 11v9H4v-9zM8 11l4-7.5c1.6 0 2.4 1.2 2 2.8L13.3 10H19c1 0 1.7.9 1.5 1.9l-1.3 6.5c-.2 1-1 1.6-1.9 1.6H8",
  thumbDown: "M8 13V4H4v9zM8 13l4 7.5c1.6 0 2.4-1.2 2-2.8L13.3 14H19c1 0 1.7-.9 1.5-1.9l-1.3-6.5c-.2-1-1-1.6-1.9-1.6H8",
  less: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM8.5 12h7",
  back: "M10 6l-6 6 6 6M4 12h16",
};

export function Icon({ name, filled }: { name: keyof typeof paths; filled?: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill={filled ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
