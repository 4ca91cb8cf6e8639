from camera_mp.proof.program import main

raise SystemExit(main())
